import { afterEach, expect, test } from "vitest";
import { listedModels } from "../support/boxed.ts";
import { HOSTS } from "../support/hosts.ts";
import { type Isolated, isolate, runPi } from "../support/pi.ts";
import { type Replay, type Scene, startReplay, wakingRequests } from "../support/replay.ts";

type Source = "server" | "declared" | "command" | "guess";

/** Where the context column may come from today; the rows of other sources are compared without it. */
const WIRED: ReadonlySet<Source> = new Set(["server", "declared", "command", "guess"]);

interface Row {
	readonly id: string;
	/** As pi prints it. */
	readonly context: string;
	readonly contextFrom: Source;
	readonly images: "yes" | "no";
}

const row = (
	id: string,
	context: string,
	contextFrom: Source,
	images: Row["images"] = "no",
): Row => ({ id, context, contextFrom, images });
const unknown = (...ids: readonly string[]): readonly Row[] =>
	ids.map((id) => row(id, "32.8K", "guess"));

/** The models of the recorded config while "late" is loaded: the same in every llama-swap. */
const MAIN = [
	...unknown("author/slash-model", "colon:model:q4", "echo", "late-loading", "renamed"),
	...unknown("slow", "stubborn", "tools"),
	row("late", "1.0K", "command"),
	row("tiny", "1.0K", "declared"),
	row("vision", "32.8K", "guess", "yes"),
];
/** From v241 on the list names the aliases and variants of its models. */
const ALIASES = [
	...["gpt-4o-mini", "tiny-alias", "tiny:cold", "tiny:hot"].map((id) =>
		row(id, "1.0K", "declared"),
	),
	...unknown("echo:high"),
];
const PEERS_BARE = unknown("org/remote-b", "remote-a");
const PEERS_QUALIFIED = [...ALIASES, ...unknown("peer1/org/remote-b", "peer1/remote-a")];

interface Era extends Scene {
	readonly name: string;
	readonly rows: readonly Row[];
	readonly ready: readonly string[];
	readonly key?: string;
}

const swap = (version: string, rows: readonly Row[]): Era => ({
	name: `llama-swap ${version}`,
	file: `llama-swap-${version}`,
	answers: ["models-loaded", "running-ready", "version", "health"],
	missing: "unknown-path",
	rows,
	ready: ["late"],
});

const ERAS: readonly Era[] = [
	swap("v217", [...MAIN, ...PEERS_BARE]),
	swap("v225", [...MAIN, ...PEERS_BARE]),
	swap("v236", [...MAIN, ...PEERS_BARE]),
	swap("v250", [...MAIN, ...PEERS_QUALIFIED]),
	swap("head", [...MAIN, ...PEERS_QUALIFIED]),
	{
		...swap("v250", [
			...[...MAIN, ...PEERS_QUALIFIED].filter(({ id }) => !/^(?:author|late$)/.test(id)),
			...unknown("late"),
			row("author/slash-model", "1.0K", "server"),
		]),
		name: "llama-swap v250 with a model of two slots",
		answers: ["models-stopping", "running-slash-multiline", "slash-props", "version"],
		ready: ["author/slash-model"],
	},
	{
		name: "llama-server by itself",
		file: "llama-server",
		answers: ["models-v1", "models-root", "props", "health-ready"],
		missing: "err-unknown-route",
		rows: [row("tiny-markov", "4.1K", "declared")],
		ready: [],
	},
	{
		name: "a llama-server router",
		file: "llama-server",
		answers: ["router-models-loaded", "router-models-root", "router-props", "router-health"],
		missing: "err-unknown-route",
		rows: [
			row("alpha", "2.0K", "command"),
			row("beta", "512", "command"),
			...unknown("broken"),
			row("big", "1.0K", "declared"),
		],
		ready: [],
	},
	{
		name: "llama_cpp.server with a key",
		file: "llama-cpp-python",
		answers: ["models", "models-no-key", "models-wrong-key", "running", "version", "props"],
		missing: "running",
		rows: unknown("tiny.gguf"),
		ready: [],
		key: "test-key",
	},
];

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
	for (const thing of open.splice(0).toReversed()) await thing.close();
});

async function replayed(
	scene: Scene,
): Promise<{ readonly replay: Replay; readonly place: Isolated }> {
	const replay = await startReplay(scene);
	const place = await isolate();
	open.push(replay, { close: place.remove });
	return { replay, place };
}

function envOf({ url }: Replay, key: string | undefined): Record<string, string> {
	const env = { AI_SERVER_URL: url, AI_SERVER_SSH_HOST: "none" };
	return key === undefined ? env : { ...env, AI_SERVER_API_KEY: key };
}

const byId = (a: { readonly id: string }, b: { readonly id: string }): number =>
	a.id < b.id ? -1 : 1;

test.each(ERAS.flatMap((era) => HOSTS.map((host) => ({ ...era, host }))))(
	"pi $host lists the models of $name and wakes none",
	async ({ host, rows, ready, key, ...scene }) => {
		const { replay, place } = await replayed(scene);
		const expected = rows.toSorted(byId);
		let printed: readonly (readonly string[])[] = [];
		const ids = async (): Promise<readonly string[]> => {
			const run = { host, place, env: envOf(replay, key), args: ["--list-models"] };
			printed = listedModels((await runPi(run)).stdout);
			return printed.map(([id = ""]) => id).toSorted();
		};
		// A start on a busy machine may be over before the list has come; the next one has it.
		await expect.poll(ids, { timeout: 60_000 }).toEqual(expected.map(({ id }) => id));

		const known = new Map(expected.map((model) => [model.id, model]));
		const seen = printed.map(([id = "", context, , , images]) => {
			const wired = WIRED.has(known.get(id)?.contextFrom ?? "guess");
			return { id, images, ...(wired ? { context } : {}) };
		});
		expect(seen.toSorted(byId)).toEqual(
			expected.map(({ id, context, contextFrom, images }) => ({
				id,
				images,
				...(WIRED.has(contextFrom) ? { context } : {}),
			})),
		);
		expect(replay.asked.get("GET /v1/models")).toBeGreaterThan(0);
		expect(wakingRequests(replay.asked, ready)).toEqual([]);
	},
);

test.each(HOSTS)("pi %s: a refused key is told as such", async (host) => {
	const era = ERAS.find(({ key }) => key !== undefined);
	if (era === undefined) throw new Error("no era has a key");
	const { replay, place } = await replayed(era);
	const ask = async (key: string | undefined): Promise<string> => {
		const args = ["--no-session", "-p", "/ai-server-refresh"];
		const { stdout, stderr } = await runPi({ host, place, env: envOf(replay, key), args });
		return stdout + stderr;
	};
	expect(await ask(undefined)).toContain("The server requires an API key");
	expect(await ask("wrong")).toContain("The server refused the API key");
});

test.each([
	["GET /upstream/late/props", 1, true],
	["GET /upstream/late/props", 2, false],
	["GET /upstream/slow/props", 1, false],
	["GET /upstream/late/health", 1, false],
	["GET /props?model=late", 1, false],
	["POST /v1/chat/completions", 1, false],
	["GET /props", 1, true],
	["GET /running", 9, true],
])("%s, asked %i times, is allowed while only late is ready: %s", (request, times, allowed) => {
	const waking = wakingRequests(new Map([[request, times]]), ["late"]);
	expect(waking).toEqual(allowed ? [] : [`${request} (${times})`]);
});
