import { access } from "node:fs/promises";
import type { BaseAgent, ParsedKey } from "ssh2";
import { withDeadline } from "../../deadline.ts";
import { callback } from "../callback.ts";
import type { AgentKeys } from "../login/identities.ts";

/** An agent runs on this machine, so one that takes longer hangs. */
const DEADLINE_MS = 5000;

/**
 * The keys that an agent holds; a reason where it does not answer, undefined where none is running.
 * Signatures have no deadline, as the agent may ask its user.
 */
export async function askAgent(
	path: string | undefined,
	createAgent: (path: string) => BaseAgent,
	deadlineMs: number,
): Promise<AgentKeys | string | undefined> {
	if (path === undefined) return undefined;
	const runs = await access(path).then(
		() => true,
		() => false,
	);
	if (!runs) return undefined;
	const agent = createAgent(path);
	try {
		const listed = callback<unknown>((done) => agent.getIdentities(done));
		const limit = Math.min(deadlineMs, DEADLINE_MS);
		const keys = ((await withDeadline(limit, () => listed)) ?? []) as readonly ParsedKey[];
		return {
			keys,
			sign: (key, data, hash) =>
				callback((done) =>
					agent.sign(
						key,
						data,
						hash === undefined ? {} : { hash: hash as "sha256" },
						(error, made) =>
							made === undefined
								? done(error ?? new Error("no signature"), Buffer.alloc(0))
								: done(error, made),
					),
				),
		};
	} catch {
		return "does not answer";
	}
}
