// Inside the real pi: runs every order through pi's own chat-completions provider, ends pi.
import { readFile, writeFile } from "node:fs/promises";
import type { ExtensionAPI } from "@earendil-works/pi-coding-agent";
import { type Observation, observe, type Provider } from "../observe.ts";
import { MODEL, type Order } from "../scenario.ts";

/** Orders that wait for the server shall not keep the others waiting. */
const AT_ONCE = 12;

export default function probe(pi: ExtensionAPI): void {
	const { CONFORMANCE_ORDERS = "", CONFORMANCE_RESULTS = "" } = process.env;
	const { id, name, reasoning, input, contextWindow, maxTokens, cost } = MODEL;
	pi.registerProvider(MODEL.provider, {
		baseUrl: "http://127.0.0.1:1/v1",
		apiKey: "placeholder",
		api: "openai-completions",
		models: [{ id, name, reasoning, input, contextWindow, maxTokens, cost }],
	});
	pi.on("session_start", async (_event, { modelRegistry }) => {
		const provider: Provider = (...call) => modelRegistry.streamSimple(...call);
		try {
			const orders = JSON.parse(await readFile(CONFORMANCE_ORDERS, "utf8")) as readonly Order[];
			const results: Observation[] = [];
			const left = orders.entries();
			const work = async (): Promise<void> => {
				for (const [at, order] of left) results[at] = await observe(provider, order);
			};
			await Promise.all(Array.from({ length: AT_ONCE }, work));
			await writeFile(CONFORMANCE_RESULTS, JSON.stringify(results));
		} catch (error) {
			process.stderr.write(`${String(error)}\n`);
		}
		process.exit(0);
	});
}
