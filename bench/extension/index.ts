// Inside the real pi: streams through pi's own registry, writes what it finds and ends pi.
import { writeFile } from "node:fs/promises";
import type { ExtensionAPI } from "@earendil-works/pi-coding-agent";
import { eventReader } from "../readers.ts";
import { takeSample } from "../sample.ts";
import { parseWorkload, warmUp } from "../workloads.ts";
import { useClientCertificate } from "./client-certificate.ts";
import { firstEvents } from "./first-events.ts";

/** Environment: what to do, and where to write it. */
export interface Order {
	readonly task: "sample" | "first-event";
	readonly provider: "pi" | "ai-server";
	readonly model: string;
	readonly origin: string;
	readonly result: string;
	/** Holds root-ca.pem, client.pem and client-key.pem. */
	readonly certificates: string;
}

export default function bench(pi: ExtensionAPI): void {
	const order = JSON.parse(process.env["AI_SERVER_BENCH"] ?? "{}") as Order;
	pi.registerProvider("bench-pi", {
		baseUrl: `${order.origin}/v1`,
		apiKey: "unused",
		api: "openai-completions",
		models: [
			{
				id: "bench",
				name: "bench",
				reasoning: false,
				input: ["text"],
				contextWindow: 262_144,
				maxTokens: 262_144,
				cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
			},
		],
	});
	pi.on("session_start", async (_event, { modelRegistry }) => {
		const readerOf = (provider: Order["provider"]) => {
			const id = provider === "pi" ? "bench-pi" : provider;
			const model = modelRegistry.getAll().find((known) => known.provider === id);
			if (model === undefined) throw new Error(`No model of ${id}`);
			return eventReader(modelRegistry.streamSimple.bind(modelRegistry), model);
		};
		try {
			let found: unknown;
			if (order.task === "sample") {
				const { model } = order;
				const workload = parseWorkload(model);
				const warmUps = Array.from({ length: 3 }, () => warmUp(workload));
				found = await takeSample(readerOf(order.provider), { model, ...workload, warmUps });
			} else {
				await useClientCertificate(order.certificates);
				found = await firstEvents({ pi: readerOf("pi"), ours: readerOf("ai-server") });
			}
			await writeFile(order.result, JSON.stringify(found));
		} catch (error) {
			await writeFile(order.result, JSON.stringify({ failure: String(error) }));
		}
		process.exit(0);
	});
}
