const LONGEST = 1000;
const SHARED = ["max_tokens", "temperature", "tool_choice"];

/**
 * What the two sides' requests have in common: every message as a line of JSON, then the tools and
 * the limits. Our parameters for llama.cpp are looked at where a row names them. An assistant's
 * content of null and of "" are alike here, and so are no tools and an empty list of them; the rows
 * with the keys "null" and "tools" show the difference. With the key "ids" the calls are numbered.
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
	const none = keys.includes("tools") && request["tools"] !== undefined && tools.length === 0;
	const lines = [...messages, ...tools.map((tool) => JSON.stringify(sorted(tool)))];
	const all = [...lines, ...(none ? ["tools: []"] : []), ...rest].map(shortened);
	return keys.includes("ids") ? numbered(all, request) : all;
}

function shortened(line: string): string {
	return line.length <= LONGEST ? line : `${line.slice(0, 100)}... (${line.length} characters)`;
}

/** With #1, #2 for the ids of calls: how they are shortened is each side's own matter. */
function numbered(
	lines: readonly string[],
	request: Readonly<Record<string, unknown>>,
): readonly string[] {
	const messages = request["messages"] as readonly { tool_calls?: readonly { id: string }[] }[];
	const ids = messages.flatMap(({ tool_calls }) => tool_calls ?? []).map(({ id }) => id);
	return ids.reduce(
		(all, id, at) =>
			all.map((line) => line.replaceAll(id, id.length > 40 ? "too long" : `#${at + 1}`)),
		lines,
	);
}

/** With the keys of every object in one order, the role first. */
function sorted(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(sorted);
	if (typeof value !== "object" || value === null) return value;
	const rank = (key: string): string =>
		["role", "type", "id", "name"].includes(key) ? ` ${key}` : key;
	return Object.fromEntries(
		Object.entries(value)
			.toSorted(([a], [b]) => (rank(a) < rank(b) ? -1 : 1))
			.map(([key, item]) => [key, sorted(item)]),
	);
}
