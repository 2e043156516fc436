import { expect, test } from "vitest";
import type { ServerModel } from "../../discovery/merge.ts";
import { adviceFor } from "../../session/model-advice.ts";

const model = (
	id: string,
	contextWindow: number,
	more: Partial<ServerModel> = {},
): ServerModel => ({
	id,
	name: id,
	state: "ready",
	contextWindow,
	contextOrigin: "command",
	reasoning: false,
	images: false,
	...more,
});
const MODELS = [
	model("small-1B", 4096),
	model("guess", 4096, { contextOrigin: "guess" }),
	model("qwen3-30b-q8", 65_536),
];

test.each([
	["a model with room", "qwen3-30b-q8", []],
	["a guessed window", "guess", []],
	["a window that pi would compact for ever", "small-1B", [/4096 tokens.*reserveTokens to 1024/]],
	["a model that is gone", "qwen3-30b-q4", [/no longer has qwen3-30b-q4.*example qwen3-30b-q8$/]],
])("%s", (_name, selected, expected) => {
	const advice = adviceFor(MODELS, selected);
	expect(advice).toHaveLength(expected.length);
	for (const [at, pattern] of expected.entries()) expect(advice[at]).toMatch(pattern);
});

test("without a model to name the line ends where it should", () => {
	expect(adviceFor([], "x")).toEqual([
		"The server no longer has x. Choose another one with /model",
	]);
});
