import { expect, test } from "vitest";
import { clean, cleanDeep, toCallId } from "../../../lib/chat/text.ts";
import { CUT_SEED } from "../../support/chat.ts";
import { seeded } from "../../support/scripted-http.ts";

test.each([
	["plain", "plain"],
	["🎉", "🎉"],
	["a\ud83c", "a"],
	["\udf89a", "a"],
	["\ud83c\ud83c\udf89\udf89", "🎉"],
	["\udf89\ud83c", ""],
	["\\ud83c", "\\ud83c"],
])("%j is cleaned to %j", (text, cleaned) => {
	expect(clean(text)).toBe(cleaned);
	expect(cleanDeep({ list: [text], [text]: text })).toEqual({
		list: [cleaned],
		[cleaned]: cleaned,
	});
});

test("any text: well-formed afterwards, and nothing lost but lone surrogates", () => {
	const random = seeded(CUT_SEED);
	const letters = ["\ud83c", "\udf89", "🎉", "\\", "u", "d83c", '"', "a", "\n", "\u0001"];
	for (let round = 0; round < 2000; round += 1) {
		const text = Array.from({ length: Math.floor(random() * 12) }, () =>
			letters.at(Math.floor(random() * letters.length)),
		).join("");
		const expected = text.toWellFormed().replaceAll("\ufffd", "");
		const words = `seed ${CUT_SEED}: ${JSON.stringify(text)}`;
		expect(clean(text), words).toBe(expected);
		expect(cleanDeep([{ [`k${text}`]: text }]), words).toEqual([{ [`k${expected}`]: expected }]);
	}
});

test("what is clean is handed back as it is", () => {
	const value = { a: ["🎉", 1, null] };
	expect(cleanDeep(value)).toBe(value);
	expect(cleanDeep(undefined)).toBeUndefined();
});

test.each([
	["call_1", "call_1"],
	["a.b c/ü", "a_b_c__"],
	["x".repeat(40), "x".repeat(40)],
	["a\ud800b", "a_b"],
])("the id %j becomes %j", (id, made) => {
	expect(toCallId(id)).toBe(made);
});

test.each([
	["x".repeat(41), "x".repeat(42)],
	[`${"x".repeat(60)}a`, `${"x".repeat(60)}b`],
	// Calls of one turn may share the part before the bar.
	["call_1|fc_a", "call_1|fc_b"],
	[`call_1|${"x".repeat(400)}a`, `call_1|${"x".repeat(400)}b`],
])("an id and its sibling stay two ids that every template takes (%#)", (one, other) => {
	expect(toCallId(one)).toMatch(/^[\w-]{1,40}$/);
	expect(toCallId(one)).toBe(toCallId(one));
	expect(toCallId(one)).not.toBe(toCallId(other));
});
