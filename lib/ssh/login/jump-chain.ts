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
import { AnswerNeeded, connectHop, type Hop, type HopOptions, type Ssh2 } from "./connect.ts";
import { arrangeLogin } from "./identities.ts";
import type { Answers, Opening } from "./prompts.ts";

/** A login at the end of a route of one or more hosts. */
export interface Link {
	readonly client: Client;
	/** Rejects when the connection to any host of the route ends. */
	readonly lost: Promise<never>;
	/** Keeps the process from ending while the link is open, or lets it end. */
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
	/** Ends a login that is under way, which must not keep the process from ending. */
	readonly signal: AbortSignal;
}

/** Logs in along the route, asking the user where needed. Rejects with AiServerError. */
export async function openLink(
	route: readonly HostSettings[],
	options: LinkOptions,
): Promise<Link> {
	const opening = options.answers.forOpening();
	for (;;) {
		try {
			return await connectRoute(route, options, opening);
		} catch (error) {
			if (!(error instanceof AnswerNeeded)) throw error;
			if (!(await opening.settle(error.question))) throw error.otherwise;
		}
	}
}

interface RouteHop extends Hop {
	readonly settings: HostSettings;
}

async function connectRoute(
	route: readonly HostSettings[],
	options: LinkOptions,
	opening: Opening,
): Promise<Link> {
	const hops: RouteHop[] = [];
	let socket: Socket | undefined;
	const destroy = (): void => {
		for (const { client } of hops.toReversed()) client.destroy();
		socket?.destroy();
	};
	try {
		for (const settings of route) {
			const access = await gatherAccess(settings, options, opening);
			const before = hops.at(-1);
			let stream: Duplex;
			if (before === undefined) {
				options.signal.throwIfAborted();
				// Nagle's algorithm would cost 40 ms a request, and ssh2 leaves it on.
				socket = connectTcp({ host: settings.host, port: settings.port, noDelay: true });
				options.signal.addEventListener("abort", destroy, { once: true });
				stream = socket;
			} else stream = await forward(before, settings, options.deadlineMs);
			const { ssh2, deadlineMs } = options;
			const { client, lost } = await connectHop({ ...access, ssh2, settings, stream, deadlineMs });
			hops.push({ client, lost, settings });
		}
	} catch (error) {
		destroy();
		throw error;
	}
	return linkOf(hops, socket, destroy);
}

function linkOf(hops: readonly RouteHop[], socket: Socket | undefined, destroy: () => void): Link {
	const last = hops.at(-1);
	if (last === undefined || socket === undefined) throw new Error("a route has one host at least");
	const lost = Promise.race(hops.map((hop) => hop.lost));
	lost.catch(() => undefined); // the operations under way at that time race against it
	return {
		client: last.client,
		lost,
		destroy,
		ref: () => socket.ref(),
		unref: () => socket.unref(),
	};
}

/** What there is to recognize the host by, and to log in with. */
async function gatherAccess(
	settings: HostSettings,
	{ ssh2, home, answers, deadlineMs }: LinkOptions,
	{ leftOut }: Opening,
): Promise<Pick<HopOptions, "known" | "login" | "isConfirmed">> {
	const { host, port, hostKeyAlias: alias } = settings;
	const { parseKey } = ssh2.utils;
	const name = nameOf({ host, port, alias });
	return {
		known: await readKnownHosts([...settings.userKnownHosts, ...settings.globalKnownHosts]),
		login: arrangeLogin({
			agent: await askAgent(settings.agent, ssh2.createAgent, deadlineMs),
			files: await readKeyFiles(settings.identityFiles, home, parseKey),
			identitiesOnly: settings.identitiesOnly,
			unlocked: answers.unlocked,
			leftOut,
		}),
		isConfirmed: (key) => answers.isConfirmed(name, key),
	};
}

async function forward(
	{ client, lost, settings }: RouteHop,
	{ host, port }: HostSettings,
	deadlineMs: number,
): Promise<Duplex> {
	const opened = callback<Duplex>((done) => client.forwardOut("127.0.0.1", 0, host, port, done));
	try {
		const late = `The jump host ${settings.host} did not answer`;
		return await withDeadline(deadlineMs, () => Promise.race([opened, lost]), { late });
	} catch (error) {
		if (error instanceof AiServerError) throw error;
		const reason =
			error instanceof Error ? error.message.replace(/^.*failure: /, "") : String(error);
		throw new AiServerError(
			"ssh",
			`No route from the jump host ${settings.host} to ${host}:${port}: ${reason}`,
			{ hint: "Check ProxyJump and HostName in ~/.ssh/config", cause: error },
		);
	}
}
