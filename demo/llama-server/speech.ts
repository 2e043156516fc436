import type { ModelConfig } from "../llama-swap/config-file.ts";
import type { ChatBody, ChatTurn } from "./request.ts";

/** What a model says in one turn. */
export interface Speech {
	readonly thinking: string;
	readonly text: string;
	readonly call: { readonly name: string; readonly arguments: string } | undefined;
}

const TOUR = `This answer came from a small server inside the demo, the way your own would send it:

1. pi asked the extension ai-server for a turn.
2. The extension opened HTTPS with a client certificate that was made a moment ago. Without one the server would have closed the door.
3. Behind it something that behaves like llama-swap loaded me and let me speak.

Things to try:

- /ai-server-status shows the models, which of them is loaded and how large each context window is
- /ai-server-load and a blank completes the model ids; watch the other model make room
- /ai-server-unload frees the memory again
- ask me to list the files, and I call a tool
- ask me to write a 200 KB file, and press Escape while it streams

Nothing you see here leaves this machine, and nothing stays when you quit.`;

/** Chooses an answer that is useful to a new user of the demo. */
export function speak(body: ChatBody, model: ModelConfig): Speech {
	const messages = body.messages ?? [];
	const last = messages.at(-1);
	const off = /--reasoning\s+off/.test(model.cmd);
	const thinks = !off && body.chat_template_kwargs?.enable_thinking !== false;
	const speech = (text: string, thought: string, call?: Speech["call"]): Speech => ({
		thinking: thinks ? thought : "",
		text,
		call,
	});
	if (last?.role === "tool") {
		const lines = textOf(last)
			.split("\n")
			.filter((line) => line.trim() !== "");
		const names = lines.slice(0, 5).map((line) => line.trim().slice(0, 60));
		const text = `The tool answered with ${lines.length} line${lines.length === 1 ? "" : "s"}: ${names.join(", ")}.`;
		return speech(text, "The tool has answered, so I can sum it up. ");
	}
	const asked = last === undefined ? "" : lastParagraph(textOf(last));
	if (asked.includes("<conversation>")) return speech("The user tried the ai-server demo.", "");
	const size = /\bwrite\b.*?\b(\d{1,4}) ?KB\b/i.exec(asked)?.[1];
	if (size !== undefined && hasTool(body, "write")) {
		const args = { path: "rows.py", content: programOf(Number(size) * 1024) };
		const thought = "That is a lot of rows, but they are all alike. ";
		return speech("Here it comes.", thought, { name: "write", arguments: JSON.stringify(args) });
	}
	if (hasTool(body, "bash") && /\b(?:list|ls|files?|folder|directory|tool|run)\b/i.test(asked)) {
		const args = JSON.stringify({ command: "ls" });
		const thought = "To know the files I have to look. ";
		return speech("Let me look.", thought, { name: "bash", arguments: args });
	}
	if (/\b(?:hello|hi|hey)\b/i.test(asked)) {
		const text = `Hello from ${model.id}, over a TLS connection with a client certificate.`;
		return speech(text, "The user says hello; a short answer will do. ");
	}
	return speech(TOUR, "They want to know what this is. I explain how the answer got here. ");
}

/** The file that the model writes when it is asked for one of so many bytes. */
export function programOf(bytes: number): string {
	const rows = Array.from({ length: Math.ceil(bytes / 24) }, (_, at) => {
		return `print("row ${String(at).padStart(12, "0")}")\n`;
	});
	return rows.join("").slice(0, bytes);
}

function hasTool({ tools = [] }: ChatBody, name: string): boolean {
	return tools.some(({ function: made }) => made?.name === name);
}

/** Questions that got no answer come together with the next one. */
function lastParagraph(text: string): string {
	return text.split(/\n{2,}/).at(-1) ?? text;
}

function textOf({ content }: ChatTurn): string {
	if (typeof content === "string") return content;
	return (content ?? []).map(({ text }) => text ?? "").join(" ");
}
