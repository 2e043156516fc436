import type { ChatMessage, ChatPart } from "../lib/chat/request.ts";

type User = Extract<ChatMessage, { role: "user" }>;
type Assistant = Extract<ChatMessage, { role: "assistant" }>;
const THOUGHTS = ["reasoning_content", "reasoning", "reasoning_text"] as const;

/**
 * Adds a message; one of the role of the last becomes a part of it. Many templates raise when two user
 * messages follow each other, and the turn between them may be left out of a request: it failed, was
 * aborted or brought thoughts alone. What was sent before stays the beginning of what is sent now.
 */
export function addMessage(messages: ChatMessage[], next: ChatMessage): void {
	const last = messages.at(-1);
	if (last?.role === "user" && next.role === "user") {
		messages[messages.length - 1] = joinUsers(last, next);
	} else if (last?.role === "assistant" && next.role === "assistant") {
		messages[messages.length - 1] = joinAssistants(last, next);
	} else messages.push(next);
}

function joinUsers(first: User, second: User): User {
	if (typeof first.content === "string" && typeof second.content === "string") {
		return { role: "user", content: joinTexts(first.content, second.content, "\n\n") };
	}
	return { role: "user", content: [...partsOf(first), ...partsOf(second)] };
}

function partsOf({ content }: User): readonly ChatPart[] {
	if (typeof content !== "string") return content;
	return content === "" ? [] : [{ type: "text", text: content }];
}

function joinAssistants(first: Assistant, second: Assistant): Assistant {
	const calls = [...(first.tool_calls ?? []), ...(second.tool_calls ?? [])];
	return {
		role: "assistant",
		content: joinTexts(first.content, second.content, "\n\n"),
		...joinThoughts(first, second),
		...(calls.length === 0 ? {} : { tool_calls: calls }),
	};
}

/** In the field of the first thought: a server reads one of the fields. */
function joinThoughts(first: Assistant, second: Assistant): Partial<Assistant> {
	const field = THOUGHTS.find((name) => first[name] ?? second[name]);
	if (field === undefined) return {};
	const thoughts = [first, second].flatMap((message) =>
		THOUGHTS.flatMap((name) => message[name] ?? []),
	);
	return { [field]: thoughts.join("\n") };
}

function joinTexts(first: string, second: string, between: string): string {
	return first === "" || second === "" ? first + second : first + between + second;
}
