import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ENVIRONMENT_NAMES } from "../../../config.ts";
import type { Host } from "../../../hosts/hosts.ts";
import { createHttp } from "../../../lib/http/client.ts";
import { createStreamSimple } from "../../../stream.ts";
import { isolate, runPi } from "../../support/pi.ts";
import { bodyLines } from "./body.ts";
import { type Observation, observe } from "./observe.ts";
import { type Outcome, orderOf, type Scenario } from "./scenario.ts";
import type { ScriptServer, Seen } from "./server.ts";

const PROBE = fileURLToPath(new URL("probe", import.meta.url));
const PATIENCE_MS = 60_000;
const AT_ONCE = 12;

/** Ours, in this process, over the real connections. */
export async function runOurs(rows: readonly Scenario[], server: ScriptServer): Promise<Outcome[]> {
	const results: Observation[] = [];
	const left = rows.entries();
	const work = async (): Promise<void> => {
		for (const [at, row] of left) {
			const url = server.url("ours", at);
			const order = orderOf(row, url);
			const { baseUrl } = order.model;
			const http = createHttp({ baseUrl: baseUrl.replace(/\/v1$/, "") });
			const provider = createStreamSimple({
				http,
				timeoutMs: row.patience ?? PATIENCE_MS,
				names: ENVIRONMENT_NAMES,
			});
			results[at] = await observe(provider, order);
			await http.close();
		}
	};
	await Promise.all(Array.from({ length: AT_ONCE }, work));
	return outcomes(rows, results, (at) => server.seen("ours", at));
}

/** A host's own provider, all rows in one real pi. */
export async function runHost(
	host: Host,
	rows: readonly Scenario[],
	server: ScriptServer,
): Promise<Outcome[]> {
	const place = await isolate();
	try {
		const [orders, results] = [join(place.folder, "orders.json"), join(place.folder, "found.json")];
		const all = rows.map((row, at) => orderOf(row, server.url(host, at)));
		await writeFile(orders, JSON.stringify(all));
		const { AI_SERVER_URL = "", AI_SERVER_SSH_HOST = "" } = process.env;
		const { stderr } = await runPi({
			host,
			place,
			extension: PROBE,
			args: ["--no-session", "-p", "go"],
			env: {
				AI_SERVER_URL,
				AI_SERVER_SSH_HOST,
				CONFORMANCE_ORDERS: orders,
				CONFORMANCE_RESULTS: results,
			},
		});
		const text = await readFile(results, "utf8").catch(() => {
			throw new Error(`pi ${host} brought no results: ${stderr}`);
		});
		return outcomes(rows, JSON.parse(text) as readonly Observation[], (at) =>
			server.seen(host, at),
		);
	} finally {
		await place.remove();
	}
}

function outcomes(
	rows: readonly Scenario[],
	results: readonly Observation[],
	seenAt: (row: number) => Seen,
): Outcome[] {
	return rows.map((row, at) => {
		const { events = "", message = "", hooks = "" } = results[at] ?? {};
		const seen = seenAt(at);
		const wire = (row.watch ?? []).map((what) => {
			if (what === "hooks") return hooks;
			if (what === "connection") return seen.connection;
			if (what === "requests") return `${seen.requests.length} requests`;
			return `${what}: ${seen.requests[0]?.headers[what] ?? "none"}`;
		});
		const body = bodyLines(seen.requests[0]?.body, row.keys ?? []);
		return { events, message, body, wire: wire.join(", ") };
	});
}
