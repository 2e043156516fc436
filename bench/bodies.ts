import type { Workload } from "./workloads.ts";

/** The characters of arguments in one delta of a tool call. */
const PIECE = 10;

/** The events of an answer in the shape of llama-server's chunks, about 260 bytes each. */
export function renderEvents({ kind, deltas }: Workload): readonly string[] {
	const first = kind === "tool" ? [event({ tool_calls: [opening()] })] : [];
	const pieces = kind === "tool" ? argumentPieces(deltas) : words(deltas);
	const middle = pieces.map((piece) => {
		if (kind === "text") return event({ content: piece });
		if (kind === "thinking") return event({ reasoning_content: piece });
		return event({ tool_calls: [{ index: 0, function: { arguments: piece } }] });
	});
	const finish = kind === "tool" ? "tool_calls" : "stop";
	const usage = {
		completion_tokens: deltas,
		prompt_tokens: 100,
		total_tokens: deltas + 100,
		prompt_tokens_details: { cached_tokens: 90 },
	};
	return [
		event({ role: "assistant", content: null }),
		...first,
		...middle,
		event({}, finish),
		`data: ${JSON.stringify({ choices: [], ...COMMON, usage })}\n\n`,
		"data: [DONE]\n\n",
	];
}

const COMMON = {
	created: 1_780_000_000,
	id: "chatcmpl-qWfGcMJzpBnYF5Vt2H1cR0dLkSxAeUoI",
	model: "bench",
	system_fingerprint: "b11669-0a1b2c3d4e5f60718293a4b5c6d7e8f901234567",
	object: "chat.completion.chunk",
};

function event(delta: object, finish: string | null = null): string {
	const choices = [{ finish_reason: finish, index: 0, delta }];
	return `data: ${JSON.stringify({ choices, ...COMMON })}\n\n`;
}

function opening(): object {
	const made = { name: "write", arguments: "" };
	return { index: 0, id: "call_0123456789abcdef01234567", type: "function", function: made };
}

function words(count: number): readonly string[] {
	const some = [" the", " stream", " of", " words\n", " that", " nobody", " reads", ","];
	return Array.from({ length: count }, (_, index) => some[index % some.length] ?? "");
}

/** A file that is written through a tool call: one long string with escapes, cut anywhere. */
function argumentPieces(count: number): readonly string[] {
	const line = 'const answer = "forty two"; // and some more\n\tif (x) {}\n';
	const content = line.repeat(Math.ceil((count * PIECE) / line.length));
	const text = JSON.stringify({ path: "src/file.ts", content }).slice(0, count * PIECE - 4);
	const whole = `${text.replace(/\\+$/, "x")}x"}`;
	const pieces: string[] = [];
	for (let at = 0; at < whole.length; at += PIECE) pieces.push(whole.slice(at, at + PIECE));
	while (pieces.length < count) pieces.push(" ");
	return pieces;
}
