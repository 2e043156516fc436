import type { ExtensionContext } from "@earendil-works/pi-coding-agent";
import { ENVIRONMENT_NAMES, loadSettings, type Settings } from "../../config.ts";
import type { HttpRequest, WarmHttp } from "../../lib/http/types.ts";
import type { Ssh } from "../../lib/ssh/types.ts";
import { createServer, type Server, type ServerEffects } from "../../session/server.ts";
import { memory } from "./model-source.ts";

export const NAMES: typeof ENVIRONMENT_NAMES = ENVIRONMENT_NAMES;
const HOME = "/home/me";

export const settingsOf = (env: Readonly<Record<string, string>> = {}): Settings =>
	loadSettings({ AI_SERVER_URL: "http://127.0.0.1:9", AI_SERVER_SSH_HOST: "none", ...env }, HOME);

/** A list of one model for every page. */
const LIST = '{"data":[{"id":"m","meta":{"n_ctx":65536}}],"running":[]}';

export interface ServerRig {
	readonly server: Server;
	/** Connections that were opened and closed, and requests. */
	readonly log: string[];
	/** What the server answers from now on; an error is a connection that fails. */
	answer(body: string | Error): void;
}

/** A server whose connections write down what is done with them. */
export function serverRig(settings: Settings = settingsOf()): ServerRig {
	const log: string[] = [];
	let answer: string | Error = LIST;
	const http: WarmHttp = {
		async request({ method = "GET", path }: HttpRequest) {
			log.push(`${method} ${path}`);
			if (answer instanceof Error) throw answer;
			const bytes = new TextEncoder().encode(answer);
			const body = {
				destroy: () => undefined,
				async *[Symbol.asyncIterator]() {
					yield bytes;
				},
			};
			const headers = { "content-type": "application/json" };
			return { status: path === "/api/events" ? 404 : 200, headers, body };
		},
		warm: async () => void log.push("warm"),
		close: async () => void log.push("close http"),
	};
	const refuse = (): Promise<never> => Promise.reject(new Error("no SSH in this test"));
	const ssh: Ssh = {
		target: "demo@box",
		readFile: refuse,
		readRange: refuse,
		exec: refuse,
		withSftp: refuse,
		close: () => void log.push("close ssh"),
	};
	const effects: ServerEffects = {
		async openHttp({ baseUrl }) {
			log.push(`open ${baseUrl}`);
			return http;
		},
		async openSsh({ host }) {
			log.push(`open ${host}`);
			return ssh;
		},
		keptList: () => memory(),
		now: () => 0,
	};
	return {
		server: createServer(settings, effects),
		log,
		answer(body) {
			answer = body;
		},
	};
}

type Handler = (event: unknown, context: ExtensionContext) => unknown;

/** A pi that writes down what an extension registers and shows. */
export class FakePi {
	readonly registered: unknown[] = [];
	readonly shown: string[] = [];
	readonly #handlers = new Map<string, Handler[]>();
	readonly context: ExtensionContext;

	constructor(hasUI: boolean, model?: { readonly provider: string; readonly id: string }) {
		const ui = { notify: (text: string) => void this.shown.push(text) };
		this.context = {
			hasUI,
			mode: hasUI ? "tui" : "print",
			ui,
			model,
		} as unknown as ExtensionContext;
	}

	readonly on = (event: string, handler: Handler): void => {
		this.#handlers.set(event, [...(this.#handlers.get(event) ?? []), handler]);
	};

	readonly registerProvider = (provider: unknown): void => void this.registered.push(provider);
	readonly appendEntry = (): void => undefined;

	/** Calls every handler of an event, as pi does, and lets what follows happen. */
	async emit(event: string, detail: unknown = {}): Promise<void> {
		for (const handler of this.#handlers.get(event) ?? []) await handler(detail, this.context);
		for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
	}
}
