import type { ServerResponse } from "node:http";

/** llama-server's JSON, which ends without a line break. */
export function sendJson(response: ServerResponse, status: number, value: unknown): void {
	const body = JSON.stringify(value);
	// Behind llama-swap's loading text the head is gone already, so this ends as a bare line.
	if (response.headersSent) {
		response.end(body);
		return;
	}
	response.writeHead(status, {
		"content-type": "application/json; charset=utf-8",
		"content-length": Buffer.byteLength(body),
	});
	response.end(response.req.method === "HEAD" ? undefined : body);
}

export interface LlamaFault {
	readonly code: number;
	readonly message: string;
	readonly type: string;
	readonly [fact: string]: unknown;
}

export function sendFault(response: ServerResponse, status: number, error: LlamaFault): void {
	sendJson(response, status, { error });
}
