import { createHash } from "node:crypto";

/** Without lone surrogates: as JSON they become escapes that llama.cpp's parser refuses, for ever. */
export function clean(text: string): string {
	return text.isWellFormed()
		? text
		: text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "");
}

/** The same for every string in a JSON value, keys among them. */
export function cleanDeep<T>(value: T): T {
	const text = JSON.stringify(value);
	if (text === undefined || !/\\ud[89a-f]/.test(text)) return value;
	// JSON.stringify writes lone surrogates as escapes, and nothing else of that range.
	const escapes = /\\(?:u(d[89a-f][0-9a-f]{2})|[\s\S])/g;
	return JSON.parse(text.replace(escapes, (whole, lone) => (lone === undefined ? whole : ""))) as T;
}

/** Ids of other providers ("call|item", hundreds of characters) in a form that every template takes. */
export function toCallId(id: string): string {
	const plain = id.replace(/[^\w-]/g, "_");
	if (plain.length <= 40) return plain;
	return `${plain.slice(0, 32)}${createHash("sha256").update(id).digest("hex").slice(0, 8)}`;
}
