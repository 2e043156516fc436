import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Agent, fetch, type RequestInit } from "undici";

/** Gives pi's own provider the one thing it lacks: a fetch that shows a client certificate. */
export async function useClientCertificate(folder: string): Promise<void> {
	const [ca, cert, key] = await Promise.all(
		["root-ca.pem", "client.pem", "client-key.pem"].map((name) => readFile(join(folder, name))),
	);
	const dispatcher = new Agent({
		allowH2: false,
		keepAliveTimeout: 240_000,
		connect: { ca: ca ?? "", cert: cert ?? "", key: key ?? "", allowH2: false },
	});
	globalThis.fetch = ((url: string, init?: RequestInit) =>
		fetch(url, { ...init, dispatcher })) as unknown as typeof globalThis.fetch;
}
