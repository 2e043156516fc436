import type { Ssh } from "../ssh/types.ts";
import { type ServiceAction, type ServiceScope, serviceCommand, serviceError } from "./commands.ts";

/** llama-swap as a service on the server. */
export interface Service {
	readonly scope: ServiceScope;
	readonly unit: string;
	/** The name of the SSH login, for the hints. */
	readonly user: string;
}

/** Longer than the limit within the command, whose error says more. */
const DEADLINE_MS = 90_000;

/**
 * What the action printed. Rejects with AiServerError: "ssh" when the service manager refused or
 * failed, otherwise as Ssh.exec does.
 */
export async function runService(
	ssh: Pick<Ssh, "exec">,
	{ scope, unit, user }: Service,
	action: ServiceAction,
	signal?: AbortSignal,
): Promise<string> {
	const command = serviceCommand(scope, unit, action);
	const result = await ssh.exec(command, { signal, deadlineMs: DEADLINE_MS });
	if (result.code === 0) return result.stdout;
	throw serviceError(result, { scope, unit, action, user });
}
