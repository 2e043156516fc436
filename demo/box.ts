import { readFileSync, unwatchFile, watchFile } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Authority, createAuthority, writeClientFiles } from "./authority.ts";
import { type Front, startFront } from "./front.ts";
import { CONFIG_PATH, DEMO_CONFIG } from "./home.ts";
import type { ScriptedReply } from "./llama-server/chat.ts";
import { createUpstream } from "./llama-server/upstream.ts";
import { createSwap, type Swap } from "./llama-swap/swap.ts";
import { type SshServer, startSshServer } from "./ssh-server.ts";

export interface BoxOptions {
	/** config.yaml; the demo's own by default. */
	readonly config?: string;
	/** False for plain http without certificates. */
	readonly tls?: boolean;
	/** "/ai", for a proxy that serves llama-swap below a path. */
	readonly prefix?: string;
	/** Milliseconds that a model takes to load; default 20. */
	readonly loadMs?: number;
	/** Milliseconds between two tokens; default 0. */
	readonly tokenMs?: number;
	/** Milliseconds that a model takes to stop; default 5. */
	readonly stopMs?: number;
	/** True for a llama-swap that re-reads its config when the file changes. */
	readonly watchConfig?: boolean;
	/** The number of llama-swap's version; default 250. Of older ones only what a reload does differs. */
	readonly version?: number;
	/** Paths that the proxy does not let through. */
	readonly blocked?: readonly string[];
}

/** A GPU machine in miniature: proxy, llama-swap, models and SSH, all on loopback. */
export interface Box {
	/** For AI_SERVER_URL. */
	readonly url: string;
	/** For AI_SERVER_SSH_HOST. */
	readonly sshHost: string;
	/** For AI_SERVER_CERTS_DIR. */
	readonly certsDir: string;
	/** A home for the client, with a key and a known_hosts for this machine. */
	readonly home: string;
	/** config.yaml on the server. */
	readonly configFile: string;
	readonly authority: Authority;
	readonly front: Front;
	readonly swap: Swap;
	readonly ssh: SshServer;
	/** Answers the next chat instead of the model. */
	nextReply(reply: ScriptedReply): void;
	/** Ends everything and removes what was written. */
	close(): Promise<void>;
}

export async function startBox(options: BoxOptions = {}): Promise<Box> {
	const { config = DEMO_CONFIG, tls = true, prefix = "" } = options;
	const { loadMs = 20, tokenMs = 0, stopMs = 5, watchConfig = false } = options;
	const { version = 250, blocked = [] } = options;
	const folder = await mkdtemp(join(tmpdir(), "ai-server-box-"));
	const remoteHome = join(folder, "server-home");
	const home = join(folder, "client-home");
	const certsDir = join(folder, "certs");
	const configFile = join(remoteHome, CONFIG_PATH);
	await mkdir(dirname(configFile), { recursive: true });
	await mkdir(home);
	await writeFile(configFile, config);

	const authority = await createAuthority();
	await writeClientFiles(certsDir, authority.ca, await authority.client());
	const scripted: ScriptedReply[] = [];
	const swap = createSwap({
		readConfig: () => readFileSync(configFile, "utf8"),
		loadMs: () => loadMs,
		stopMs,
		upstream: createUpstream({ tokenMs, scripted }),
		version,
	});
	if (watchConfig) watchFile(configFile, { interval: 50 }, swap.reload);
	const front = await startFront({
		tls: tls ? { ca: authority.ca, server: await authority.server() } : undefined,
		prefix,
		handle: (request, response) => {
			if (blocked.includes(request.url ?? "")) response.writeHead(404).end();
			else swap.handle(request, response);
		},
	});
	const service = { restart: swap.restart, hangUp: swap.hangUp, journal: swap.journal };
	const ssh = await startSshServer({ remoteHome, service });
	await ssh.writeClientFiles(home);
	return {
		url: `${tls ? "https" : "http"}://localhost:${front.port}${prefix}`,
		sshHost: `demo@127.0.0.1:${ssh.port}`,
		certsDir,
		home,
		configFile,
		authority,
		front,
		swap,
		ssh,
		nextReply: (reply) => void scripted.push(reply),
		async close() {
			unwatchFile(configFile, swap.reload);
			swap.close();
			await Promise.all([front.close(), ssh.close()]);
			await rm(folder, { recursive: true, force: true });
		},
	};
}
