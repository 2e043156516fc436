import { EXTENSIONS } from "../dialect.ts";
import type { Refused } from "./refusal.ts";

const UNKNOWN =
	/unsupported|not supported|unrecognized|unknown|unexpected|extra (?:inputs?|fields?)|extra_forbidden|not permitted|not allowed|additional propert|cannot find field|no such (?:field|parameter)/i;
/** Behind it stand the fields that the server does know. */
const KNOWN_ONES =
	/,? *(?:expected one of|allowed (?:fields|values|properties)|supported (?:fields|parameters)|use ')[\s\S]*$/i;
/** Without these it would be another request. */
const NEEDED: readonly string[] = ["model", "messages", "stream", "tools"];

/**
 * The fields of the request that a refusal names as unknown. One that only llama.cpp has takes the
 * others of its kind along, since strict servers name one at a time. Empty for any other refusal.
 */
export function unknownFields({ request, status, message, body }: Refused): readonly string[] {
	if (status !== 400 && status !== 422) return [];
	const text = `${message}\n${body}`;
	if (!UNKNOWN.test(text)) return [];
	const before = [message, body].map((part) => part.replace(KNOWN_ONES, ""));
	const named = Object.keys(request).filter(
		(name) => !NEEDED.includes(name) && before.some((part) => names(part, name)),
	);
	if (!named.some((name) => EXTENSIONS.includes(name))) return named;
	const others = EXTENSIONS.filter((name) => name in request && !named.includes(name));
	return [...named, ...others];
}

/** As a word of its own; a word of plain English only where it is quoted or part of a path. */
function names(text: string, field: string): boolean {
	const isPlain = !field.includes("_");
	const edge = isPlain ? "[\"'`.]" : "\\b";
	return new RegExp(`${edge}${field}(?:${edge}|\\b)`).test(text) || text.startsWith(`${field}: `);
}
