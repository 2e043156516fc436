const SHARED = ["max_tokens", "temperature", "tool_choice"];

/**
 * What the two sides' requests have in common: every message as a line of JSON, then the tools and
 * the limits. Our parameters for llama.cpp are looked at where a row names them. An assistant's
 * content of null and of "" are alike here; one row shows the difference.
 */
export function bodyLines(body: string | undefined, keys: readonly string[]): readonly string[] {
	if (body === undefined) return [];
	const request = JSON.parse(body) as Readonly<Record<string, unknown>>;
	const raw = keys.includes("null");
	const messages = (request["messages"] as readonly Record<string, unknown>[]).map((message) =>
		JSON.stringify(
			sorted(message["content"] === null && !raw ? { ...message, content: "" } : message),
		),
	);
	const tools = (request["tools"] as readonly unknown[] | undefined) ?? [];
	const wanted = keys.includes("all") ? Object.keys(request).toSorted() : [...SHARED, ...keys];
	const rest = wanted
		.filter((key) => !["messages", "tools"].includes(key) && request[key] !== undefined)
		.filter((key) => key !== "max_tokens" || request[key] !== 1000)
		.map((key) => `${key}: ${JSON.stringify(request[key])}`);
	const none = request["tools"] !== undefined && tools.length === 0 ? ["no tools: []"] : [];
	return [...messages, ...tools.map((tool) => JSON.stringify(sorted(tool))), ...none, ...rest];
}

/** With the keys of every object in one order, the role first. */
function sorted(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(sorted);
	if (typeof value !== "object" || value === null) return value;
	const rank = (key: string): string => (key === "role" || key === "type" ? ` ${key}` : key);
	return Object.fromEntries(
		Object.entries(value)
			.toSorted(([a], [b]) => (rank(a) < rank(b) ? -1 : 1))
			.map(([key, item]) => [key, sorted(item)]),
	);
}
