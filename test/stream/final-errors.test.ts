import { expect, test } from "vitest";
import { ENVIRONMENT_NAMES } from "../../config.ts";
import { HOSTS as ALL_HOSTS } from "../../hosts/hosts.ts";
import {
	draftFailure,
	draftStatus,
	draftStreamError,
	isLoadFailure,
} from "../../lib/chat/errors/error-text.ts";
import {
	type ErrorDraft,
	type ErrorText,
	settleError,
	type Verdict,
	verdictOf,
} from "../../lib/chat/errors/verdict.ts";
import { AiServerError, type ErrorCode } from "../../lib/errors.ts";
import { HOSTS } from "../support/hosts.ts";
import { judgeOf, retryPatterns } from "../support/judges.ts";
import { OVERFLOW_PHRASES, QUOTA_PHRASES, RETRY_PHRASES } from "../support/retry-phrases.ts";
import { seeded } from "../support/scripted-http.ts";

const SEED = Date.now() % 1_000_000;
const judges = await Promise.all(
	HOSTS.map(async (host) => ({
		host,
		judge: await judgeOf(host),
		patterns: await retryPatterns(host),
	})),
);

const json = (message: string): string => JSON.stringify({ error: { message } });
const status = (code: number, body: string, log?: string): ErrorDraft =>
	draftStatus(code, body, "tiny", { log });
const inStream = (message: string, code?: number): ErrorDraft =>
	draftStreamError({ message, type: undefined, code, fromProxy: false }, "tiny");
const thrown = (code: ErrorCode, message: string, hint?: string): ErrorDraft =>
	draftFailure(new AiServerError(code, message, { hint, setting: "url" }));

/** Errors that another try cannot cure, with a quoted phrase in them. */
const FINAL: Readonly<Record<string, (phrase: string) => ErrorDraft>> = {
	"a 400": (phrase) => status(400, json(phrase)),
	"a 400 in plain text": (phrase) => status(400, `bad request: ${phrase}`),
	"a 422 of llama_cpp.server": (phrase) => status(422, JSON.stringify({ detail: phrase })),
	"a 401": (phrase) => status(401, json(phrase)),
	"a 404": (phrase) => status(404, json(phrase)),
	"a redirect": (phrase) => status(302, json(phrase)),
	"an unknown model": (phrase) => status(404, json(`model not found: ${phrase}`)),
	"a model with that id": (phrase) => draftStatus(404, json("model not found"), phrase),
	"a 500 about the request": (phrase) => status(500, json(`Failed to parse tools: ${phrase}`)),
	"a template that raises": (phrase) => status(500, json(`jinja: raised: ${phrase}`)),
	"a failed load": (phrase) => status(502, `unable to start process: ${phrase}`),
	"a failed load with that in its log": (phrase) =>
		status(500, json("upstream command exited prematurely"), `srv load_model: ${phrase}`),
	"a load that was given up": (phrase) => status(500, json(`group: model unloaded ${phrase}`)),
	"a failed load in a stream": (phrase) => inStream(`failed to load: ${phrase}`),
	"a 400 in a stream": (phrase) => inStream(phrase, 400),
	"a TLS error": (phrase) => thrown("tls", `TLS with https://box failed: ${phrase}`, "Check it"),
	"a hint": (phrase) => thrown("settings", "A file cannot be read", `Read ${phrase}`),
	"another page instead": (phrase) => thrown("protocol", `not a chat completion: ${phrase}`),
};

interface Row {
	readonly phrase: string;
	readonly verdict: Verdict;
	readonly settled: ErrorText;
}

function outcomes(
	phrases: readonly string[],
	make: (phrase: string) => ErrorDraft,
	judge: (typeof judges)[number]["judge"],
): readonly Row[] {
	return phrases.map((phrase) => {
		const settled = settleError(make(phrase), judge, ENVIRONMENT_NAMES);
		return { phrase, settled, verdict: verdictOf(settled.text, judge) };
	});
}

test.each(judges)(
	"pi $host tries again for these phrases, and no pattern of it is left out",
	({ judge, patterns }) => {
		expect(RETRY_PHRASES.length).toBeGreaterThan(200);
		expect(new Set(RETRY_PHRASES).size).toBe(RETRY_PHRASES.length);
		const taken = RETRY_PHRASES.filter((phrase) => judge.isRetryable(phrase));
		expect(taken.length).toBeGreaterThan(150);
		expect(patterns.length).toBeGreaterThan(40);
		const untried = patterns.filter(
			(pattern) => !RETRY_PHRASES.some((phrase) => pattern.test(phrase)),
		);
		expect(untried).toEqual([]);
	},
);

test("every phrase is a reason to try again for one of the hosts", async () => {
	const all = await Promise.all(ALL_HOSTS.map(judgeOf));
	const harmless = RETRY_PHRASES.filter((phrase) =>
		all.every((judge) => !judge.isRetryable(phrase)),
	);
	expect(harmless).toEqual([]);
});

const places = judges.flatMap(({ host, judge }) =>
	Object.entries(FINAL).map(([name, make]) => ({ host, name, make, judge })),
);

test.each(places)("pi $host never tries $name again", ({ make, judge }) => {
	const rows = outcomes([...RETRY_PHRASES, ...OVERFLOW_PHRASES, ...QUOTA_PHRASES], make, judge);
	expect(rows.filter(({ verdict }) => verdict === "retry")).toEqual([]);
	// The user can read all of it somewhere, in text that can be searched.
	for (const { settled } of rows) {
		expect(`${settled.text}${settled.full ?? ""}`).not.toMatch(/[\p{Control}\p{Format}]/u);
		expect(settled.text).toMatch(/\S/);
	}
});

test.each(places)(
	"pi $host: $name keeps what can be quoted and shows the rest elsewhere",
	({ make, judge }) => {
		const [quoted] = outcomes(["harmless"], make, judge);
		expect(quoted?.settled).toMatchObject({ full: undefined });
		expect(quoted?.settled.text).toContain("harmless");
		const [left] = outcomes(["unable to forward upstream 502"], make, judge);
		expect(left?.settled.full).toContain("unable to forward upstream 502");
		expect(left?.settled.text).not.toContain("upstream 502");
	},
);

test.each(judges)("pi $host: any two phrases together", ({ judge }) => {
	const random = seeded(SEED);
	const makers = Object.values(FINAL);
	const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
	for (let round = 0; round < 2000; round += 1) {
		const phrase = `${pick(RETRY_PHRASES)} ${pick(RETRY_PHRASES)}`;
		const { text } = settleError(pick(makers)(phrase), judge);
		expect(verdictOf(text, judge), `seed ${SEED}: ${text}`).not.toBe("retry");
	}
});

/** Errors that another try may cure; only the server's own words can make them anything else. */
const TRANSIENT: Readonly<Record<string, (phrase: string) => ErrorDraft>> = {
	"a network error": (phrase) => thrown("network", `no way to the server: ${phrase}`, "Check it"),
	"a time limit": (phrase) => thrown("timeout", `silent (timed out): ${phrase}`),
	"a load that llama-swap broke off": (phrase) =>
		status(502, `unable to start process: health check interrupted due to shutdown: ${phrase}`),
};

test.each(
	judges.flatMap(({ host, judge }) =>
		Object.entries(TRANSIENT).map(([name, make]) => ({ host, name, make, judge })),
	),
)("pi $host tries $name again, whatever is in it", ({ name, make, judge }) => {
	const overflows = name.startsWith("a load") ? [] : OVERFLOW_PHRASES;
	const rows = outcomes([...RETRY_PHRASES, ...overflows, ...QUOTA_PHRASES], make, judge);
	expect(rows.filter(({ verdict }) => verdict !== "retry")).toEqual([]);
});

test.each(judges)("pi $host tries a 5xx and a 429 again, with the server's words", ({ judge }) => {
	for (const code of [429, 500, 502, 503, 504]) {
		const phrases = RETRY_PHRASES.filter((phrase) => !isLoadFailure(502, json(phrase)));
		expect(phrases.length).toBeGreaterThan(200);
		const rows = outcomes(phrases, (phrase) => status(code, json(phrase)), judge);
		expect(rows.filter(({ verdict }) => verdict !== "retry")).toEqual([]);
		expect(rows.filter(({ settled }) => settled.full !== undefined)).toEqual([]);
	}
	// Limits of a rate use these words as well.
	const tokens = ["too many tokens", "token limit exceeded"];
	const limited = outcomes(tokens, (phrase) => status(429, json(phrase)), judge);
	expect(limited.filter(({ verdict }) => verdict === "compact")).toEqual([]);
	const quota = outcomes(QUOTA_PHRASES, (phrase) => status(429, json(phrase)), judge);
	expect(quota.filter(({ verdict }) => verdict !== "stop")).toEqual([]);
});

test.each(judges)("pi $host compacts after an overflow, wherever it is reported", ({ judge }) => {
	const known = OVERFLOW_PHRASES.filter((phrase) => judge.isOverflow(phrase));
	expect(known.length).toBeGreaterThan(25);
	const makers = [400, 413, 422, 500, 503].map(
		(code) => (phrase: string) => status(code, json(phrase)),
	);
	for (const make of [...makers, (phrase: string) => inStream(phrase, 500)]) {
		const rows = outcomes(known, make, judge);
		expect(rows.filter(({ verdict }) => verdict !== "compact")).toEqual([]);
	}
	const typed = (phrase: string): ErrorDraft =>
		status(400, JSON.stringify({ error: { message: phrase, type: "exceed_context_size_error" } }));
	const others = outcomes([...RETRY_PHRASES, "n_prompt 9000 is above n_ctx"], typed, judge);
	expect(others.filter(({ verdict }) => verdict !== "compact")).toEqual([]);
});

test.each(judges)("pi $host does not compact for a model that does not start", ({ judge }) => {
	const log = (phrase: string): ErrorDraft => status(502, "unable to start process: exit", phrase);
	const rows = outcomes(OVERFLOW_PHRASES, log, judge);
	expect(rows.filter(({ verdict }) => verdict !== "stop")).toEqual([]);
});
