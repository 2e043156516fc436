import { AiServerError } from "../lib/errors.ts";
import { parseJson, recordOf, textOf } from "../lib/json.ts";
import { tellingLines } from "../lib/llama-server/failure-lines.ts";
import { poll } from "../lib/poll.ts";
import { runService, type Service } from "../lib/service/run.ts";
import type { Ssh } from "../lib/ssh/types.ts";
import type { ReadPage } from "./pages.ts";

/** llama-swap as a service of the server. */
export interface ServiceAdmin {
	/** llama-swap's version, "v250"; undefined when it does not report one. */
	version(signal?: AbortSignal): Promise<string | undefined>;
	/** SIGHUP over SSH: re-reads the config from v205 on, and ends every older llama-swap. */
	reloadBySignal(signal?: AbortSignal): Promise<void>;
	/** Restarts llama-swap's service over SSH; resolves when the server answers again. */
	restart(signal?: AbortSignal): Promise<void>;
}

const HEALTH_DEADLINE_MS = 5000;
const RESTART_POLL = { everyMs: 500, limitMs: 30_000 } as const;

/** `service` throws AiServerError "settings" where no service is named in a usable way. */
export function createServiceAdmin(
	ssh: Ssh,
	readPage: ReadPage,
	service: () => Service,
): ServiceAdmin {
	const isAnswering = async (signal: AbortSignal | undefined): Promise<true | undefined> => {
		const deadlineMs = HEALTH_DEADLINE_MS;
		try {
			await readPage({ path: "/health", what: "its health", deadlineMs, signal });
			return true;
		} catch (error) {
			signal?.throwIfAborted();
			// Any answer of llama-swap itself will do: older ones have no such page, others want a key.
			const status = error instanceof AiServerError ? error.status : undefined;
			return status !== undefined && status < 500 ? true : undefined;
		}
	};
	return {
		async version(signal) {
			try {
				const body = await readPage({ path: "/api/version", what: "its version", signal });
				return textOf(recordOf(parseJson(body))?.["version"]);
			} catch {
				signal?.throwIfAborted();
				return undefined;
			}
		},
		async reloadBySignal(signal) {
			await runService(ssh, service(), "kill-hup", signal);
		},
		async restart(signal) {
			const named = service();
			await runService(ssh, named, "restart", signal);
			const back = await poll(() => isAnswering(signal), { ...RESTART_POLL, signal });
			if (back === undefined) throw await stillDown(ssh, named, signal);
		},
	};
}

/** The error of a service that runs but does not answer; its journal has the cause. */
async function stillDown(
	ssh: Ssh,
	service: Service,
	signal: AbortSignal | undefined,
): Promise<AiServerError> {
	const seconds = RESTART_POLL.limitMs / 1000;
	const message = `${service.unit} was restarted, but does not answer after ${seconds} s`;
	const log = await runService(ssh, service, "journal", signal).catch(() => "");
	const why = tellingLines(log);
	const hint = why === undefined ? "Look at its log on the server" : `Its log says: ${why}`;
	return new AiServerError("network", message, { hint });
}
