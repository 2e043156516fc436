import { type Admin, createAdmin } from "../admin.ts";
import type { Settings } from "../config.ts";
import { type Catalog, createCatalog } from "../discovery/catalog.ts";
import { AiServerError, type Names, type Setting } from "../lib/errors.ts";
import type { HttpOptions } from "../lib/http/client.ts";
import { lazyHttp } from "../lib/http/lazy-client.ts";
import type { WarmHttp } from "../lib/http/types.ts";
import type { JsonFile } from "../lib/json-file.ts";
import type { Service } from "../lib/service/run.ts";
import { lazySsh } from "../lib/ssh/lazy-connection.ts";
import type { Ssh, SshTarget } from "../lib/ssh/types.ts";

/** One server and everything that belongs to it. Nothing is opened before its first use. */
export interface Server {
	/** pi's name for the provider. */
	readonly id: string;
	/** What the user calls the settings and commands of this server. */
	readonly names: Names;
	readonly settings: Settings;
	readonly http: WarmHttp;
	readonly ssh: Ssh;
	readonly admin: Admin;
	readonly catalog: Catalog;
	/** Aborts when the server is closed. */
	readonly closed: AbortSignal;
	/** Ends every connection and whatever is under way on it. */
	close(): Promise<void>;
}

/** What a server needs of the world. */
export interface ServerEffects {
	/** Called at the first request. */
	openHttp(options: HttpOptions): Promise<WarmHttp>;
	/** Called at the first use of SSH. */
	openSsh(target: SshTarget): Promise<Ssh>;
	/** Where the last list of this server is kept for an offline start. */
	keptList(settings: Settings): JsonFile;
	/** Milliseconds since 1970. */
	now(): number;
}

export function createServer(settings: Settings, effects: ServerEffects): Server {
	const { id, names } = settings;
	const closing = new AbortController();
	const http = lazyHttp(async () => effects.openHttp(httpOptionsOf(settings)));
	const ssh = lazySsh(async () => effects.openSsh(sshTargetOf(settings)));
	const admin = createAdmin({
		http,
		ssh,
		routes: settings.routes,
		configPath: settings.configPath,
		service: () => serviceOf(settings),
		keySent: settings.apiKey !== undefined,
	});
	const catalog = createCatalog({
		source: settings.ssh === "none" ? { ...admin, readConfig: async () => undefined } : admin,
		file: effects.keptList(settings),
		now: effects.now,
		signal: closing.signal,
		names,
	});
	return {
		id,
		names,
		settings,
		http,
		ssh,
		admin,
		catalog,
		closed: closing.signal,
		async close() {
			closing.abort();
			ssh.close();
			await http.close();
		},
	};
}

function httpOptionsOf(settings: Settings): HttpOptions {
	const { url, apiKey, certificates } = settings;
	if (url === undefined) throw problemOf(settings, "url");
	return {
		baseUrl: url,
		...(apiKey === undefined ? {} : { apiKey }),
		...(url.startsWith("https:") ? { certificates } : {}),
	};
}

function sshTargetOf(settings: Settings): SshTarget {
	const { ssh } = settings;
	if (ssh === undefined) throw problemOf(settings, "sshHost");
	if (ssh !== "none") return ssh;
	throw new AiServerError("settings", "SSH is switched off for this server", {
		hint: "Set the SSH host",
		setting: "sshHost",
	});
}

function serviceOf(settings: Settings): Service {
	const { serviceScope: scope, serviceUnit: unit, ssh } = settings;
	if (scope === undefined) throw problemOf(settings, "serviceScope");
	if (unit === undefined) throw problemOf(settings, "serviceUnit");
	// Where OpenSSH's config has the name, the hints leave it to the shell that they are typed into.
	const user = typeof ssh === "object" ? (ssh.user ?? "$USER") : "$USER";
	return { scope, unit, user };
}

/** Why this setting cannot be used. */
function problemOf({ problems, names }: Settings, setting: Setting): AiServerError {
	const problem = problems.find(({ settings }) => settings.includes(setting));
	return problem ?? new AiServerError("settings", `${names.setting(setting)} cannot be used`);
}
