import { readRecords, recordedHeader } from "../../support/records.ts";
import type { Scenario } from "../runner/scenario.ts";

const FILES = [
	"llama-server",
	"llama-cpp-python",
	"llama-swap-v250",
	"llama-swap-v217",
	"llama-swap-v220",
	"llama-swap-head",
];

/** Every recorded answer to a streamed question, and every refusal of a chat. */
export async function readRecorded(): Promise<readonly Scenario[]> {
	const files = await Promise.all(
		FILES.map(async (file) => [file, (await readRecords(file)).exchanges] as const),
	);
	return files.flatMap(([file, exchanges]) =>
		exchanges.flatMap((exchange): readonly Scenario[] => {
			const { id, request, status, head, body, bodyBase64 } = exchange;
			if (request.method !== "POST" || !/chat\/completions$/.test(request.path)) return [];
			const type = recordedHeader(exchange, "content-type") ?? "";
			const streamed = /event-stream/.test(type) && body !== "";
			if (head === "" || (status < 400 && !streamed)) return [];
			const bytes = bodyBase64 === undefined ? body : Buffer.from(bodyBase64, "base64");
			const headers = { "content-type": type };
			return [{ name: `recorded ${file}/${id}`, replies: [{ status, headers, pieces: [bytes] }] }];
		}),
	);
}
