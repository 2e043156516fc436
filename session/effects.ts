import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { AiServerError } from "../lib/errors.ts";
import { createJsonFile } from "../lib/json-file.ts";
import { lazy } from "../lib/lazy.ts";
import type { SshPrompts } from "../lib/ssh/types.ts";
import type { ServerEffects } from "./server.ts";

// Packages that a start can do without.
const httpClient = lazy(() => import("../lib/http/client.ts"));
const sshConnection = lazy(() => import("../lib/ssh/connection.ts"));

export interface World {
	/** The user's home on this machine. */
	readonly home: string;
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly localUser: string;
	/** For files of this extension; made when it is needed. */
	readonly folder: string;
	/** Keeps the half-written files of two processes apart. */
	readonly processId: number;
	readonly prompts: SshPrompts;
}

/** The real connections and files. */
export function createEffects(world: World): ServerEffects {
	return {
		async openHttp(options) {
			const { createHttp } = await installed(httpClient());
			return createHttp(options);
		},
		async openSsh(target) {
			const { createSsh } = await installed(sshConnection());
			const { home, env, localUser, prompts } = world;
			return createSsh({ target, home, env, localUser, ...prompts });
		},
		keptList({ url = "" }) {
			// One file a server, so that two of them never show each other's models.
			const server = createHash("sha256").update(url).digest("hex").slice(0, 16);
			return createJsonFile(join(world.folder, `models-${server}.json`), world.processId);
		},
		now: Date.now,
	};
}

/** Explains the failure of an import to a user who copied the folder without its packages. */
export async function installed<T>(module: Promise<T>): Promise<T> {
	try {
		return await module;
	} catch (error) {
		const folder = dirname(dirname(fileURLToPath(import.meta.url)));
		const argument = /\s/.test(folder) ? JSON.stringify(folder) : folder;
		throw new AiServerError("settings", "The npm packages of ai-server are not installed", {
			hint: `Run: npm install --omit=dev --prefix ${argument}`,
			cause: error,
		});
	}
}
