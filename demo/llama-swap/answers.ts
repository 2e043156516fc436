import type { IncomingMessage, ServerResponse } from "node:http";

/** Sends text with its length, as Go's http package does for what fits one write. */
export function sendText(
	response: ServerResponse,
	status: number,
	type: string,
	body: string,
): void {
	response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) });
	response.end(response.req.method === "HEAD" ? undefined : body);
}

/** JSON of llama-swap's own pages ends with a line break. */
export function sendJson(response: ServerResponse, status: number, value: unknown): void {
	sendText(response, status, "application/json", `${JSON.stringify(value)}\n`);
}

/** An error in llama-swap's envelope of v225 to v250, in the form the client asks for. */
export function sendError(
	request: IncomingMessage,
	response: ServerResponse,
	status: number,
	message: string,
): void {
	const accept = request.headers.accept ?? "";
	if (status === 401) response.setHeader("www-authenticate", 'Basic realm="llama-swap"');
	if (status === 429) {
		response.setHeader("retry-after", "1");
		sendText(response, status, "application/json", JSON.stringify({ error: message }));
	} else if (accept.includes("text/html")) {
		const page = `<html><body><h1>llama-swap</h1><p>${message}</p></body></html>`;
		sendText(response, status, "text/html", page);
	} else if (accept.includes("text/plain")) {
		sendText(response, status, "text/plain", `llama-swap: ${message}`);
	} else {
		const body = JSON.stringify({ error: message, src: "llama-swap" });
		sendText(response, status, "application/json", body);
	}
}

/** A redirect as Go's http.Redirect writes it. */
export function redirect(
	response: ServerResponse,
	status: number,
	words: string,
	to: string,
): void {
	response.setHeader("location", to);
	const shown = response.req.method === "GET" || response.req.method === "HEAD";
	if (shown)
		sendText(response, status, "text/html; charset=utf-8", `<a href="${to}">${words}</a>.\n\n`);
	else response.writeHead(status).end();
}

export async function readBody(request: IncomingMessage): Promise<string> {
	const chunks: Buffer[] = [];
	for await (const chunk of request) chunks.push(chunk as Buffer);
	return Buffer.concat(chunks).toString("utf8");
}
