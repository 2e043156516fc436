import { connect as connectTcp, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Client } from "ssh2";
import { withDeadline } from "../../deadline.ts";
import { AiServerError } from "../../errors.ts";
import { callback } from "../callback.ts";
import { askAgent } from "../openssh/agent.ts";
import { readKeyFiles } from "../openssh/key-files.ts";
import { nameOf } from "../openssh/known-hosts.ts";
import type { HostSettings } from "../openssh/settings.ts";
import { readKnownHosts } from "../openssh/user-files.ts";
import { connectHop, type Hop, type Ssh2, Unanswered } from "./connect.ts";
import { arrangeLogin, type Login } from "./identities.ts";
import type { Answers, Opening } from "./prompts.ts";

/** A login at the end of a way of one or more hosts. */
export interface Link {
	readonly client: Client;
	/** Rejects when any part of the way ends. */
	readonly lost: Promise<never>;
	/** Lets the process end, or not, while the link is there. */
	ref(): void;
	unref(): void;
	destroy(): void;
}

export interface LinkOptions {
	readonly ssh2: Ssh2;
	readonly home: string;
	readonly answers: Answers;
	/** For each step of each hop. */
	readonly deadlineMs: number;
	/** Ends a login that is under way: nothing of it may keep the process from ending. */
	readonly signal: AbortSignal;
}

/** Logs in along the route, asking a person where needed. Rejects with AiServerError. */
export async function openLink(
	route: readonly HostSettings[],
	options: LinkOptions,
): Promise<Link> {
	const opening = options.answers.forOpening();
	for (;;) {
		try {
			return await connectRoute(route, options, opening);
		} catch (error) {
			if (!(error instanceof Unanswered)) throw error;
			if (!(await opening.settle(error.question))) throw error.otherwise;
		}
	}
}

async function connectRoute(
	route: readonly HostSettings[],
	options: LinkOptions,
	opening: Opening,
): Promise<Link> {
	const hops: (Hop & { readonly settings: HostSettings })[] = [];
	let socket: Socket | undefined;
	const destroy = (): void => {
		for (const { client } of hops.toReversed()) client.destroy();
		socket?.destroy();
	};
	try {
		for (const settings of route) {
			const { host, port, hostKeyAlias: alias } = settings;
			const known = await readKnownHosts([
				...settings.userKnownHosts,
				...settings.globalKnownHosts,
			]);
			const login = await gatherLogin(settings, options, opening);
			const before = hops.at(-1);
			let stream: Duplex;
			if (before === undefined) {
				options.signal.throwIfAborted();
				// Nagle's algorithm would cost 40 ms a request, and ssh2 leaves it on.
				socket = connectTcp({ host, port, noDelay: true });
				options.signal.addEventListener("abort", destroy, { once: true });
				stream = socket;
			} else stream = await forward(before, settings, options.deadlineMs);
			const name = nameOf({ host, port, alias });
			const isConfirmed = (key: Buffer): boolean => options.answers.isConfirmed(name, key);
			const hop = await connectHop({ ...options, settings, known, login, isConfirmed, stream });
			hops.push({ ...hop, settings });
		}
	} catch (error) {
		destroy();
		throw error;
	}
	const last = hops.at(-1);
	if (last === undefined || socket === undefined) throw new Error("a route has one host at least");
	const first = socket;
	const lost = Promise.race(hops.map((hop) => hop.lost));
	lost.catch(() => undefined); // whoever is at work at that time races against it
	return {
		...{ client: last.client, lost, destroy },
		ref: () => first.ref(),
		unref: () => first.unref(),
	};
}

async function gatherLogin(
	{ agent, identityFiles, identitiesOnly }: HostSettings,
	{ ssh2, home, answers, deadlineMs }: LinkOptions,
	{ leftOut }: Opening,
): Promise<Login> {
	return arrangeLogin({
		agent: await askAgent(agent, ssh2.createAgent, deadlineMs),
		files: await readKeyFiles(identityFiles, home, ssh2.utils.parseKey),
		identitiesOnly,
		unlocked: answers.unlocked,
		leftOut,
	});
}

async function forward(
	{ client, lost, settings }: Hop & { readonly settings: HostSettings },
	{ host, port }: HostSettings,
	deadlineMs: number,
): Promise<Duplex> {
	const opened = callback<Duplex>((done) => client.forwardOut("127.0.0.1", 0, host, port, done));
	try {
		const late = `The jump host ${settings.host} did not answer`;
		return await withDeadline(deadlineMs, () => Promise.race([opened, lost]), { late });
	} catch (error) {
		if (error instanceof AiServerError) throw error;
		const told = error instanceof Error ? error.message.replace(/^.*failure: /, "") : String(error);
		throw new AiServerError(
			"ssh",
			`The jump host ${settings.host} finds no way to ${host}:${port}: ${told}`,
			{ hint: "Check ProxyJump and HostName in ~/.ssh/config", cause: error },
		);
	}
}
