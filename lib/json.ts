import { AiServerError } from "./errors.ts";
import { plainText } from "./text.ts";

export type JsonRecord = Readonly<Record<string, unknown>>;

/** Undefined for what is no JSON. */
export function parseJson(body: string): unknown {
	try {
		return JSON.parse(body);
	} catch {
		return undefined;
	}
}

/** The value as an object; undefined for arrays, null and everything else. */
export function recordOf(value: unknown): JsonRecord | undefined {
	return typeof value === "object" && value !== null && !Array.isArray(value)
		? (value as JsonRecord)
		: undefined;
}

/** The value as a text with something in it. */
export function textOf(value: unknown): string | undefined {
	return typeof value === "string" && value !== "" ? value : undefined;
}

/** A text for people: one line, nothing in it that a terminal would obey. */
export function lineOf(value: unknown): string | undefined {
	return typeof value === "string"
		? textOf(plainText(value).replace(/\s+/g, " ").trim())
		: undefined;
}

/** A model id; undefined where a terminal would take a part of it for a command: it could not be typed. */
export function idOf(value: unknown): string | undefined {
	const id = textOf(value);
	return id === undefined || plainText(id) !== id || /[\t\n]/.test(id) ? undefined : id;
}

export function flagOf(value: unknown): boolean | undefined {
	return typeof value === "boolean" ? value : undefined;
}

/** llama-server rounds every window up to 256; no model is trained for a hundred million tokens. */
const SMALLEST_WINDOW = 256;
const LARGEST_WINDOW = 2 ** 27;

/** A context window in tokens; undefined for what none can be, such as the 0 of a router. */
export function windowOf(value: unknown): number | undefined {
	const sane =
		typeof value === "number" &&
		Number.isInteger(value) &&
		value >= SMALLEST_WINDOW &&
		value <= LARGEST_WINDOW;
	return sane ? value : undefined;
}

/** AiServerError "protocol" for a page that is not the one asked for; quotes its start. */
export function unexpected(what: string, sender: string, body: string): AiServerError {
	const start = plainText(body).replace(/\s+/g, " ").trim().slice(0, 60);
	const quote = start === "" ? "nothing" : `"${start}${body.length > 60 ? "..." : ""}"`;
	return new AiServerError("protocol", `${what} is not what ${sender} sends, but ${quote}`, {
		hint: "Check that the URL leads to llama-swap and not to some other page",
		setting: "url",
	});
}
