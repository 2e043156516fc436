import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { findProgram, type Ran, run } from "./programs.ts";

/** Caddy in PATH, and those that AI_SERVER_TEST_CADDY names as well: it takes both generations to see all. */
export const CADDYS: readonly string[] = [
	findProgram("caddy"),
	...(process.env["AI_SERVER_TEST_CADDY"] ?? "").split(delimiter),
].filter((path) => path !== undefined && path !== "") as string[];

/** What a Caddyfile needs beside its own text to run in a test: sockets in a folder, no ports. */
export function inFolder(text: string, folder: string, upstreamPort: number): string {
	const options = [
		`admin unix//${folder}/admin.sock`,
		"auto_https disable_redirects",
		`storage file_system ${folder}/storage`,
		"servers {\n\t\tprotocols h1 h2\n\t}",
	];
	const site = text
		.replaceAll("/etc/caddy/certs", `${folder}/certs`)
		.replace("192.168.2.3:8080", `127.0.0.1:${upstreamPort}`)
		.replace(" {\n", ` {\n\tbind unix//${folder}/https.sock\n`);
	return `{\n\t${options.join("\n\t")}\n}\n${site}`;
}

export interface RunningCaddy {
	/** Writes a new Caddyfile, or keeps the one there is, and reloads it. */
	reload(text?: string, ...args: readonly string[]): Promise<Ran>;
	stop(): Promise<void>;
}

/** Starts a Caddyfile made by inFolder(); rejects with Caddy's log when it does not serve. */
export async function startCaddy(
	caddy: string,
	text: string,
	folder: string,
): Promise<RunningCaddy> {
	const file = join(folder, "Caddyfile");
	const config = ["--config", file, "--adapter", "caddyfile"];
	await writeFile(file, text);
	const env = { PATH: process.env["PATH"], HOME: folder };
	const child = spawn(caddy, ["run", ...config], { env, stdio: ["ignore", "ignore", "pipe"] });
	const ended = once(child, "close");
	let log = "";
	await new Promise<void>((resolve, reject) => {
		child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
			log += chunk;
			if (log.includes("serving initial configuration")) resolve();
		});
		ended.then(() => reject(new Error(log)), reject);
	});
	return {
		async reload(changed, ...args) {
			if (changed !== undefined) await writeFile(file, changed);
			const address = ["--address", `unix//${folder}/admin.sock`];
			return run(caddy, ["reload", ...config, ...address, ...args], { env });
		},
		async stop() {
			child.kill();
			await ended;
		},
	};
}

export interface ClientFiles {
	readonly ca: string;
	/** Path without ".pem" and "-key.pem"; undefined for a client without a certificate. */
	readonly client: string | undefined;
}

/** The status of one request over a connection of its own, or "refused" for one that TLS ended. */
export async function ask(
	folder: string,
	host: string,
	{ ca, client }: ClientFiles,
): Promise<number | "refused"> {
	const identity =
		client === undefined
			? {}
			: { cert: await readFile(`${client}.pem`), key: await readFile(`${client}-key.pem`) };
	const tls = { ca: await readFile(ca), servername: host, ...identity };
	const socketPath = join(folder, "https.sock");
	return new Promise((resolve, reject) => {
		const sent = request({ socketPath, headers: { host }, agent: false, ...tls }, (response) => {
			response.resume().once("end", () => resolve(response.statusCode ?? 0));
		});
		sent.once("error", (error: NodeJS.ErrnoException) => {
			// An alert, or the closed socket that the request is written to before the alert is read.
			if (/ALERT|alert|EPIPE|ECONNRESET|socket hang up/.test(`${error.code} ${error.message}`)) {
				resolve("refused");
			} else reject(error);
		});
		sent.end();
	});
}

/** A short path, since a socket's may have hundred characters only. */
export async function scratch(): Promise<{ folder: string; remove(): Promise<void> }> {
	const folder = await mkdtemp(join(tmpdir(), "ais-"));
	return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}
