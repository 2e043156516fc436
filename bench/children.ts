import { type ChildProcess, spawn } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createAuthority, writeClientFiles } from "../demo/authority.ts";
import type { Host } from "../hosts/hosts.ts";
import { type Isolated, isolate, ROOT, runPi } from "../test/support/pi.ts";
import type { Order } from "./extension/index.ts";

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Starts the processes that measure; everything they need lies in one folder. */
export interface Children {
	/** The origins of the server: plain, and with a client certificate. */
	readonly plain: string;
	readonly tls: string;
	/** Runs a program of this folder to its end and gives what it printed. */
	run(program: string, args: readonly string[]): Promise<unknown>;
	/** Runs pi with the bench's extension and ours, which does `order`. */
	pi(host: Host, order: Omit<Order, "result" | "certificates" | "origin">): Promise<unknown>;
	readonly folder: string;
	close(): Promise<void>;
}

export async function startChildren(): Promise<Children> {
	const place = await isolate();
	const folder = join(place.folder, "certificates");
	const authority = await createAuthority();
	await writeClientFiles(folder, authority.ca, await authority.client());
	const { cert, key } = await authority.server();
	await writeFile(join(folder, "server.pem"), cert);
	await writeFile(join(folder, "server-key.pem"), key, { mode: 0o600 });
	const server = spawn(process.execPath, [here("server.ts"), folder], {
		stdio: ["ignore", "pipe", "inherit"],
	});
	const ports = JSON.parse(await firstLine(server)) as { plain: number; tls: number };
	const plain = `http://127.0.0.1:${ports.plain}`;
	// Where "localhost" is ::1 as well, Node tries that first, and forgets the session for the second.
	const tls = `https://127.0.0.1:${ports.tls}`;
	return {
		plain,
		tls,
		folder,
		run,
		pi: (host, order) => runInPi(host, place, { ...order, plain, tls, folder }),
		async close() {
			server.kill();
			await place.remove();
		},
	};
}

async function run(program: string, args: readonly string[]): Promise<unknown> {
	const flags = ["--expose-gc", "--import", here("host-modules.ts")];
	const child = spawn(process.execPath, [...flags, here(program), ...args], {
		stdio: ["ignore", "pipe", "inherit"],
	});
	let text = "";
	child.stdout.setEncoding("utf8").on("data", (piece: string) => {
		text += piece;
	});
	const code = await new Promise((resolve) => child.once("close", resolve));
	if (code !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${String(code)}`);
	return JSON.parse(text);
}

async function runInPi(
	host: Host,
	place: Isolated,
	{
		plain,
		tls,
		folder,
		...task
	}: Omit<Order, "result" | "certificates" | "origin"> & {
		readonly plain: string;
		readonly tls: string;
		readonly folder: string;
	},
): Promise<unknown> {
	const result = join(place.folder, "result.json");
	const origin = task.task === "sample" ? plain : tls;
	const order: Order = { ...task, origin, result, certificates: folder };
	await rm(result, { force: true });
	const { stderr } = await runPi({
		host,
		place,
		extension: here("extension"),
		args: [...PRINT, "-e", ROOT],
		env: {
			AI_SERVER_URL: origin,
			AI_SERVER_SSH_HOST: "none",
			AI_SERVER_CERTS_DIR: folder,
			AI_SERVER_BENCH: JSON.stringify(order),
		},
	});
	const text = await readFile(result, "utf8").catch(() => "");
	if (text === "" || text.includes('"failure"')) {
		throw new Error(`pi ${host}, ${task.model}: ${text} ${stderr}`);
	}
	return JSON.parse(text);
}

const PRINT = ["--no-session", "--model", "bench-pi/bench", "-p", "hi"];

function firstLine({ stdout }: ChildProcess): Promise<string> {
	return new Promise((resolve, reject) => {
		let text = "";
		stdout?.setEncoding("utf8").on("data", (piece: string) => {
			text += piece;
			if (text.includes("\n")) resolve(text);
		});
		stdout?.once("end", () => reject(new Error("The bench's server did not start")));
	});
}
