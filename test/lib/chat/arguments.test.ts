import { expect, test } from "vitest";
import { createArgumentsReader, finishArguments } from "../../../lib/chat/arguments.ts";
import { seeded } from "../../support/scripted-http.ts";

const SEED = Date.now() % 1_000_000;

/** A random JSON value; strings hold what is hard to cut. */
function randomValue(random: () => number, depth: number): unknown {
	const kind = Math.floor(random() * (depth > 3 ? 5 : 7));
	const size = Math.floor(random() * 4);
	switch (kind) {
		case 0:
			return Array.from({ length: size * 3 }, () =>
				'a"\\/\n\t\u0001é🎉{}[],:'.at(Math.floor(random() * 16)),
			).join("");
		case 1:
			return random() < 0.5 ? Math.floor(random() * 1e9) : (random() - 0.5) * 1e-7;
		case 2:
			return random() < 0.5;
		case 3:
			return null;
		case 4:
			return "__proto__";
		case 5:
			return Array.from({ length: size }, () => randomValue(random, depth + 1));
		default:
			return randomObject(random, depth + 1);
	}
}

function randomObject(random: () => number, depth = 0): object {
	const names = ["path", "", "__proto__", 'q"uote', "ünï", "constructor"];
	const entries = Array.from({ length: Math.floor(random() * 5) }, (_, at) => [
		names[at],
		randomValue(random, depth),
	]);
	return JSON.parse(
		`{${entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(",")}}`,
	) as object;
}

/** True when `part` can grow into `whole`: strings and lists as beginnings, objects key by key. */
function isBeginning(part: unknown, whole: unknown): boolean {
	if (typeof part === "string") return typeof whole === "string" && whole.startsWith(part);
	if (Array.isArray(part)) {
		return (
			Array.isArray(whole) &&
			part.every((item, at) => at < whole.length && isBeginning(item, whole[at]))
		);
	}
	if (typeof part === "object" && part !== null) {
		return Object.entries(part).every(
			([key, value]) =>
				Object.hasOwn(whole as object, key) &&
				isBeginning(value, (whole as Record<string, unknown>)[key]),
		);
	}
	return Object.is(part, whole);
}

test("any object, cut anywhere: always a beginning of it, and in the end the whole", () => {
	const random = seeded(SEED);
	for (let round = 0; round < 1500; round += 1) {
		const whole = randomObject(random);
		const text = JSON.stringify(whole, null, Math.floor(random() * 3));
		const reader = createArgumentsReader();
		const cuts = Array.from({ length: Math.floor(random() * 12) }, () =>
			Math.floor(random() * text.length),
		);
		for (const piece of pieces(text, cuts)) {
			reader.push(piece);
			expect(isBeginning(reader.value, whole), `seed ${SEED}, round ${round}: ${text}`).toBe(true);
		}
		expect(reader.value, `seed ${SEED}, round ${round}`).toEqual(JSON.parse(text));
		expect(reader.text()).toBe(text);
	}
});

function pieces(text: string, cuts: readonly number[]): readonly string[] {
	const edges = [0, ...cuts.toSorted((a, b) => a - b), text.length];
	return edges.slice(1).map((end, at) => text.slice(edges[at], end));
}

test("an open string is shown as far as it goes, in the same object", () => {
	const reader = createArgumentsReader();
	const { value } = reader;
	reader.push('{"path":"a.ts","content":"one ');
	expect(value).toEqual({ path: "a.ts", content: "one " });
	reader.push("two\\");
	expect(value).toEqual({ path: "a.ts", content: "one two" });
	reader.push("n\\u00e");
	expect(value).toEqual({ path: "a.ts", content: "one two\n" });
	reader.push('9"}');
	expect(value).toEqual({ path: "a.ts", content: "one two\né" });
});

test("__proto__ is a key like any other", () => {
	const reader = createArgumentsReader();
	reader.push('{"__proto__":{"polluted":true}}');
	expect(Object.keys(reader.value)).toEqual(["__proto__"]);
	expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});

test.each(["[1]", '"x"', "nonsense", '{"a":1,}', '{"a" 1}', '{"a":tru}', "}{"])(
	"%j stops where it is wrong and throws nothing",
	(text) => {
		const reader = createArgumentsReader();
		for (const letter of text) reader.push(letter);
		reader.push('"more":1}');
		expect(Object.keys(reader.value).length).toBeLessThanOrEqual(1);
	},
);

test.each<[string, unknown]>([
	["", {}],
	[" ", {}],
	['{"re":"\\\\d+","text":"line\nbreak"}', { re: "\\d+", text: "line\nbreak" }],
	['{"path":"C:\\users\\new \\uni"}', { path: "C:\\users\new \\uni" }],
	['{"a":1}', { a: 1 }],
	['{"text":"line\nbreak"}', { text: "line\nbreak" }],
	['{"path":"C:\\dir\\q"}', { path: "C:\\dir\\q" }],
	['{"re":"\\d+\\s"}', { re: "\\d+\\s" }],
])("%j ends as %j", (text, value) => {
	expect(finishArguments(text)).toEqual({ value });
});

test.each(['{"a":', "[1]", "null", '{"a":1}}', "x".repeat(5000)])(
	"%.20j is an error that quotes it",
	(text) => {
		const finished = finishArguments(text);
		expect(finished).toEqual({ error: expect.stringContaining(text.slice(0, 20)) });
		expect("error" in finished && finished.error.length).toBeLessThan(300);
	},
);

test.each(["x", "\\n"])(
	"however long the text of %j is, it is judged and nothing is thrown",
	(part) => {
		const text = `{"a":"${part.repeat(16_000_000 / part.length)}`;
		expect(finishArguments(text)).toEqual({
			error: expect.stringContaining(`{"a":"${part}${part}`),
		});
	},
);

test.each([
	['{"a":[1,],"b":2}', { a: [1] }],
	['{"a":{"x":1,},"b":2}', { a: { x: 1 } }],
	['{"a":{"x"},"b":2}', { a: {} }],
	['{"a":{"x":},"b":2}', { a: {} }],
	['{"a":[1},"b":2}', { a: [1] }],
])("%s shows nothing of what follows its error", (text, shown) => {
	const reader = createArgumentsReader();
	reader.push(text);
	expect(reader.value).toEqual(shown);
});

test("a key with an escape is what it says, whatever JSON.parse has read before", () => {
	expect(finishArguments('{"first":1,"\\\\":2}')).toEqual({ value: { first: 1, "\\": 2 } });
	expect(finishArguments('{"first":1,"\\n":2}')).toEqual({ value: { first: 1, "\n": 2 } });
	expect(finishArguments('{"first":1,"\\"":2}')).toEqual({ value: { first: 1, '"': 2 } });
});

test("backslashes that start no escape are shown as they will be taken", () => {
	const reader = createArgumentsReader();
	reader.push('{"re":"\\d\\u12');
	expect(reader.value).toEqual({ re: "\\d" });
	reader.push('","n":1}');
	expect(reader.value).toEqual({ re: "\\d\\u12", n: 1 });
});

test("any object that is cut short is never taken for a whole one", () => {
	const random = seeded(SEED);
	for (let round = 0; round < 300; round += 1) {
		const text = JSON.stringify(randomObject(random));
		const cut = text.slice(0, 1 + Math.floor(random() * (text.length - 1)));
		if (cut.length < text.length) {
			expect(finishArguments(cut), `seed ${SEED}: ${cut}`).toHaveProperty("error");
		}
	}
});
