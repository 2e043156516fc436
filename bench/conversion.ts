// What a turn's conversion costs when all but its last messages have been converted before.
import type { Message } from "@earendil-works/pi-ai";
import { createConverter } from "../messages.ts";
import { modelOf } from "./readers.ts";

const MESSAGES = 1200;
const ROUNDS = 15;
const model = modelOf("bench");

/** A turn with a tool: question, call, result, answer; about 1.2 KB a message. */
function turn(index: number): readonly Message[] {
	const text = `Line ${index} of a text that goes on for a while. `.repeat(25);
	const { api, provider, id } = model;
	const usage = {
		input: 1,
		output: 1,
		cacheRead: 0,
		cacheWrite: 0,
		totalTokens: 2,
		cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, total: 0 },
	};
	const said = { role: "assistant", api, provider, model: id, usage, timestamp: index } as const;
	const call = { type: "toolCall", id: `call_${index}`, name: "write" } as const;
	return [
		{ role: "user", content: [{ type: "text", text }], timestamp: index },
		{
			...said,
			stopReason: "toolUse",
			content: [{ ...call, arguments: { path: "a.ts", content: text } }],
		},
		{
			role: "toolResult",
			toolCallId: call.id,
			toolName: "write",
			isError: false,
			content: [{ type: "text", text }],
			timestamp: index,
		},
		{ ...said, stopReason: "stop", content: [{ type: "text", text }] },
	];
}

const ratios: number[] = [];
const firsts: number[] = [];
for (let round = 0; round < ROUNDS; round += 1) {
	const messages = Array.from({ length: MESSAGES / 4 }, (_, index) => turn(index)).flat();
	const converter = createConverter();
	const time = (history: readonly Message[]): number => {
		const started = performance.now();
		converter.request(model, { messages: [...history] });
		return performance.now() - started;
	};
	const first = time(messages);
	firsts.push(first);
	ratios.push(time([...messages, ...turn(MESSAGES)]) / first);
}
const median = (values: readonly number[]): number =>
	values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
process.stdout.write(JSON.stringify({ ratio: median(ratios), first: median(firsts) }));
