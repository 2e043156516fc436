import { type Admin, createAdmin } from "../../admin.ts";
import { loadSettings } from "../../config.ts";
import type { Http, HttpRequest } from "../../lib/http/types.ts";
import type { ExecResult, Ssh } from "../../lib/ssh/types.ts";

export interface Answer {
	readonly status?: number;
	readonly body?: string;
	readonly headers?: Readonly<Record<string, string>>;
}

export interface AdminTraits {
	/** By path; the same for every path otherwise. */
	readonly answers?: (path: string) => Answer | Error | "never";
	/** llama-swap's config. */
	readonly yaml?: string;
	readonly exec?: (command: string) => Partial<ExecResult>;
	readonly keySent?: boolean;
}

export interface AdminRig {
	readonly admin: Admin;
	readonly asked: HttpRequest[];
	readonly executed: string[];
}

/** The administration of a server whose answers are given. */
export function adminRig({
	answers = () => ({}),
	yaml = "",
	exec,
	keySent = false,
}: AdminTraits = {}): AdminRig {
	const asked: HttpRequest[] = [];
	const executed: string[] = [];
	const http: Http = {
		async request(request) {
			asked.push(request);
			const answer = answers(request.path);
			if (answer instanceof Error) throw answer;
			if (answer === "never") return aborted(request.signal);
			const bytes = new TextEncoder().encode(answer.body ?? "");
			const body = {
				destroy: () => undefined,
				async *[Symbol.asyncIterator]() {
					yield bytes;
				},
			};
			return { status: answer.status ?? 200, headers: answer.headers ?? {}, body };
		},
		close: async () => undefined,
	};
	const refuses = (): Promise<never> => Promise.reject(new Error("not served in this test"));
	const ssh: Ssh = {
		target: "demo@box",
		readFile: async (path) => Buffer.from(`# ${path}\n${yaml}`),
		readRange: refuses,
		async exec(command) {
			if (exec === undefined) return refuses();
			executed.push(command);
			return { code: 0, signal: undefined, stdout: "", stderr: "", ...exec(command) };
		},
		withSftp: refuses,
		close: () => undefined,
	};
	const { routes, configPath } = loadSettings({}, "/home/me");
	const service = () => ({ scope: "user", unit: "llama-swap.service", user: "demo" }) as const;
	return {
		admin: createAdmin({ routes, configPath, http, ssh, service, keySent }),
		asked,
		executed,
	};
}

/** Rejects when the request is aborted. */
function aborted(signal: AbortSignal | undefined): Promise<never> {
	return new Promise((_resolve, reject) => {
		signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
	});
}

export const sent = (asked: readonly HttpRequest[]): readonly string[] =>
	asked.map(({ method = "GET", path }) => `${method} ${path}`);
