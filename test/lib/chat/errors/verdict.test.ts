import { expect, test } from "vitest";
import {
	type ErrorDraft,
	type ErrorJudge,
	settleError,
} from "../../../../lib/chat/errors/verdict.ts";
import { AiServerError, type Names } from "../../../../lib/errors.ts";

/** A host that tries again at "again" and compacts at "too big"; and takes "timed out" as pi does. */
const JUDGE: ErrorJudge = {
	isOverflow: (text) => text.includes("too big"),
	isRetryable: (text) => /again|timed out/i.test(text),
};
const NAMES: Names = { setting: () => "AGAIN_AND_AGAIN", command: (name) => `/${name}` };

const draft = (...quotes: string[]): ErrorDraft => ({
	allowed: ["stop"],
	quotes,
	write: (...quoted) => `failed: ${quoted.map((quote) => quote ?? "-").join(", ")}`,
});

test.each<[string, string[], string, string | undefined]>([
	["harmless", ["a", "b"], "failed: a, b", undefined],
	["known phrases in other words", ["it timed out"], "failed: it took too long", undefined],
	["one quote left out", ["a", "try again"], "failed: a, -", "failed: a, try again"],
	["an overflow left out", ["too big", "b"], "failed: -, b", "failed: too big, b"],
	["quotes that do harm together", ["a", "gain"], "failed: a, gain", undefined],
])("%s", (_name, quotes, text, full) => {
	expect(settleError(draft(...quotes), JUDGE)).toEqual({ text, full });
});

test("quotes that do harm only together are all left out", () => {
	const joined: ErrorDraft = { ...draft("a", "gain"), write: (a = "", b = "") => `no ${a}${b}` };
	expect(settleError(joined, JUDGE)).toEqual({ text: "no", full: "no again" });
});

test("whatever the host concludes is right where nothing is demanded", () => {
	const any: ErrorDraft = { ...draft("again"), allowed: [] };
	expect(settleError(any, JUDGE)).toEqual({ text: "failed: again", full: undefined });
});

test("what is to be tried again is, and what is to be compacted", () => {
	const retry: ErrorDraft = {
		allowed: ["retry"],
		quotes: ["too big"],
		write: (quote) => `again${quote === undefined ? "" : `: ${quote}`}`,
	};
	expect(settleError(retry, JUDGE)).toEqual({ text: "again", full: "again: too big" });
	const compact: ErrorDraft = { ...retry, allowed: ["compact"] };
	expect(settleError(compact, JUDGE)).toEqual({ text: "again: too big", full: undefined });
});

test("not even the name of a setting makes the host try again", () => {
	const named: ErrorDraft = {
		allowed: ["stop"],
		quotes: [],
		write: () => new AiServerError("http", "failed", { hint: "Check it", setting: "url" }),
	};
	expect(settleError(named, JUDGE, NAMES)).toEqual({
		text: "failed. Check it",
		full: "failed. Check it (AGAIN_AND_AGAIN)",
	});
	const always: ErrorJudge = { isOverflow: () => false, isRetryable: () => true };
	expect(settleError(named, always).text).toBe("The chat request failed");
});
