/** How many times as many inputs as usual the property tests generate: `AI_SERVER_FUZZ=100`. */
const FACTOR = Number(process.env["AI_SERVER_FUZZ"] ?? 1);

/** The number of generated inputs, for a test that usually takes `usual` of them. */
export function rounds(usual: number): number {
	return Math.ceil(usual * FACTOR);
}
