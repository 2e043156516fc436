import { expect, test } from "vitest";
import { fitOutput } from "../../../../lib/chat/remedies/output-room.ts";
import { WINDOW, WORDS_FOR_BUDGET } from "../../../support/strict.ts";

const fitted = (message: string, request: object): unknown =>
	fitOutput({ request: { ...request }, status: 400, message, body: message });

test.each(Object.entries(WORDS_FOR_BUDGET))("what fits, in the words of %s", (_who, word) => {
	expect(fitted(word(9598, 31_000), { max_tokens: 31_000, a: 1 })).toEqual({
		max_tokens: WINDOW - 9598 - 8,
		a: 1,
	});
	expect(fitted(word(9598, 31_000), { max_completion_tokens: 31_000 })).toEqual({
		max_completion_tokens: WINDOW - 9598 - 8,
	});
});

test.each(Object.entries(WORDS_FOR_BUDGET))(
	"a prompt that is too long by itself: %s",
	(_who, word) => {
		expect(fitted(word(WINDOW - 100, 500), { max_tokens: 500 })).toBeUndefined();
		expect(fitted(word(40_000, 500), { max_tokens: 500 })).toBeUndefined();
	},
);

test("a thought leaves room for the answer", () => {
	const message =
		"maximum context length is 8,192 tokens (6,192 in the messages, 4000 in the completion)";
	expect(fitted(message, { max_tokens: 4000, thinking_budget_tokens: 3000 })).toEqual({
		max_tokens: 1992,
		thinking_budget_tokens: 996,
	});
});

test.each(["The temperature must be at most 2", "maximum context length is 8192 tokens", ""])(
	"no size of the prompt: %s",
	(message) => {
		expect(fitted(message, { max_tokens: 9000 })).toBeUndefined();
	},
);
