/** A map of the config file; readYaml makes no others. */
export function mapOf(value: unknown): ReadonlyMap<string, unknown> | undefined {
	return value instanceof Map ? value : undefined;
}

/** A scalar as text, the way Go fills a string field. */
export function textOf(value: unknown): string | undefined {
	if (typeof value === "string") return value;
	const scalar = ["number", "boolean", "bigint"].includes(typeof value);
	return scalar ? String(value) : undefined;
}

/** The texts of a list; what is none is left out. */
export function textsOf(value: unknown): readonly string[] {
	if (!Array.isArray(value)) return [];
	return value.flatMap((item) => textOf(item) ?? []);
}

/** A whole number. */
export function numberOf(value: unknown): number | undefined {
	return typeof value === "number" && Number.isSafeInteger(value) ? value : undefined;
}
