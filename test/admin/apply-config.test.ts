import { expect, test } from "vitest";
import { applyConfig, readContextWindow, runsWith } from "../../admin/apply-config.ts";
import type { ApplyEffects, ApplyOutcome, ConfigChange } from "../../admin/apply-outcome.ts";
import type { ReloadOutcome } from "../../admin/reload-watch.ts";
import type { Admin } from "../../admin.ts";
import { AiServerError } from "../../lib/errors.ts";
import type { ReloadMethod } from "../../lib/llama-swap/api/reload.ts";

/** A server with one model, "m", whose config is nothing but its size. */
interface Traits {
	readonly watches?: boolean;
	readonly hasEvents?: boolean;
	readonly version?: string;
	readonly showsCommand?: boolean;
	/** True for a file that is not the one that llama-swap reads. */
	readonly otherFile?: boolean;
	readonly rejects?: number;
	/** The size that the model does not start with, and the error of that. */
	readonly fails?: readonly [size: number, AiServerError];
	/** The size with which llama-swap itself does not start. */
	readonly endsAt?: number | "any";
	/** The file cannot be written at all. */
	readonly readOnly?: boolean;
	/** The size after which the file cannot be written any more. */
	readonly locksAfter?: number;
	readonly given?: number | AiServerError;
	readonly loaded?: boolean;
	/** How the service manager refuses. */
	readonly refuses?: Partial<Record<ReloadMethod, AiServerError>>;
	/** What the user answers when asked for a reload. */
	readonly answers?: readonly boolean[];
	readonly notes?: readonly string[];
}

const DIED = new AiServerError("http", "HTTP 500 for loading m: it exited", {
	status: 500,
	said: "it exited",
	hint: "Its log says: out of memory",
});

function rig(traits: Traits) {
	const { watches = false, hasEvents = true, version = "v250", showsCommand = true } = traits;
	const { loaded = true } = traits;
	const did: string[] = [];
	const asked: ReloadMethod[] = [];
	const reasons: (AiServerError | undefined)[] = [];
	const steps: string[] = [];
	const noted: string[] = [];
	const answers = [...(traits.answers ?? [])];
	let file = "4096";
	let read = "4096";
	let runs: string | undefined = loaded ? "4096" : undefined;
	let outcome: ReloadOutcome = { kind: "silent" };
	let locked = false;
	const readFile = (): void => {
		if (traits.otherFile === true) return;
		const rejected = file === String(traits.rejects);
		outcome = rejected ? { kind: "rejected", line: `no ${file}` } : { kind: "ended" };
		if (rejected) return;
		read = file;
		runs = undefined;
	};
	const served: Partial<Admin> = {
		listRunning: async () =>
			runs === undefined
				? []
				: [
						{
							id: "m",
							state: "ready",
							cmd: showsCommand ? `llama-server -c ${runs}` : undefined,
						},
					],
		load: async (id) => {
			did.push(`load ${id} with ${read}`);
			const [size, error] = traits.fails ?? [];
			if (read === String(size)) throw error;
			runs = read;
		},
		unload: async (id) => {
			did.push(`unload ${id}`);
			runs = undefined;
		},
		readProps: async () => {
			if (runs === undefined) throw new Error("this would load the model");
			if (traits.given instanceof Error) throw traits.given;
			return { contextWindow: traits.given };
		},
		writePreset: async (expected, text) => {
			if (locked || traits.readOnly === true) throw new AiServerError("ssh", "The disk is full");
			expect(expected).toBe(file);
			did.push(`write ${text}`);
			file = text;
			locked = traits.locksAfter === Number(text);
			if (watches) readFile();
			const [realPath, backupPath] = ["/config.yaml", "/config.yaml.bak"];
			return { realPath, backupPath, notes: traits.notes ?? [] };
		},
		version: async () => version,
		inFlight: async () => undefined,
		watchReload: async () => {
			if (!hasEvents) return undefined;
			outcome = { kind: "silent" };
			did.push("watch");
			return { outcome: async () => outcome, close: () => void did.push("stop watching") };
		},
		reloadBySignal: async () => {
			did.push("signal");
			if (traits.refuses?.signal !== undefined) throw traits.refuses.signal;
			readFile();
		},
		restart: async () => {
			did.push("restart");
			if (traits.refuses?.restart !== undefined) throw traits.refuses.restart;
			if (traits.endsAt === "any" || file === String(traits.endsAt)) {
				throw new AiServerError("network", "No answer");
			}
			readFile();
		},
	};
	const effects: ApplyEffects = {
		// What applying may not do to a server is not there, and would throw.
		admin: served as Admin,
		mayReload: async (method, failed) => {
			asked.push(method);
			reasons.push(failed);
			const answer = answers.shift();
			if (answer === undefined) throw new Error(`Unexpected question: ${method}`);
			return answer;
		},
		progress: async (step, work) => {
			steps.push(step);
			try {
				return await work();
			} finally {
				steps.push(`${step} is over`);
			}
		},
		note: (text) => void noted.push(text),
		wait: async () => undefined,
	};
	const run = (more: Partial<ConfigChange> = {}): Promise<ApplyOutcome> =>
		applyConfig(
			{ id: "m", size: 8192, loaded, oldText: "4096", newText: "8192", ...more },
			effects,
		);
	const state = () => ({ file, runs });
	const acts = () => did.filter((line) => !line.includes("watch"));
	return { run, state, acts, did, asked, reasons, steps, noted };
}

const ready = (given?: number, verified = given !== undefined) => ({
	kind: "ready",
	given,
	verified,
});
const RELOADED = { kind: "restored", model: "loaded" };

test("a server that watches its config reads it, and the model is loaded", async () => {
	const server = rig({ watches: true, given: 8192 });
	expect(await server.run()).toEqual(ready(8192));
	expect(server.did).toEqual([
		"unload m",
		"watch",
		"write 8192",
		"stop watching",
		"load m with 8192",
	]);
	expect(server.asked).toEqual([]);
});

test.each<[string, Traits, ApplyOutcome | object]>([
	["that gives less", { given: 4096 }, ready(4096)],
	["that rounds up", { given: 8448 }, ready(8448)],
	["that shows no command", { given: 8192, showsCommand: false }, ready(8192)],
	[
		"that shows no command, and gives less",
		{ given: 4096, showsCommand: false },
		ready(4096, false),
	],
	["that gives more than the config", { given: 65_536 }, ready(65_536, false)],
	["that reports nothing", {}, ready()],
	["that fails to report", { given: new AiServerError("timeout", "too slow") }, ready()],
	["that shows nothing at all", { showsCommand: false }, ready()],
])("a server %s", async (_name, traits, outcome) => {
	const server = rig({ watches: true, ...traits });
	expect(await server.run()).toEqual(outcome);
	expect(server.acts().filter((line) => line.startsWith("load"))).toHaveLength(1);
});

test("without events a plain load shows that the config was read", async () => {
	const server = rig({ watches: true, hasEvents: false });
	expect(await server.run()).toEqual(ready());
	expect(server.did).toEqual(["unload m", "write 8192", "load m with 8192"]);
	expect(server.asked).toEqual([]);
});

test("without events a load with the old size shows that it was not", async () => {
	const server = rig({ hasEvents: false, answers: [true] });
	expect(await server.run()).toEqual(ready());
	expect(server.acts()).toEqual([
		"unload m",
		"write 8192",
		"load m with 4096",
		"signal",
		"load m with 8192",
	]);
});

test.each([
	["v205", "signal"],
	["v204", "restart"],
])("%s that stays silent gets a %s when the user agrees", async (version, method) => {
	const server = rig({ version, answers: [true] });
	expect(await server.run()).toEqual(ready());
	expect(server.acts()).toEqual(["unload m", "write 8192", method, "load m with 8192"]);
	expect(server.asked).toEqual([method]);
});

test.each<[string, Traits, string, string | undefined]>([
	["a model that was loaded is unloaded", {}, "unloaded", undefined],
	["one that was not is untouched", { loaded: false }, "untouched", undefined],
	["one that was tried runs", { hasEvents: false }, "runs-as-before", "4096"],
])("after a no %s", async (_name, traits, model, runs) => {
	const server = rig({ answers: [false], ...traits });
	expect(await server.run()).toEqual({ kind: "unread", model, error: undefined });
	expect(server.state()).toEqual({ file: "8192", runs });
});

test.each([
	["that was loaded is loaded again", true, "loaded"],
	["that was not loaded stays so", false, "untouched"],
])("a rejected config is taken back, and a model %s", async (_name, loaded, model) => {
	const server = rig({ watches: true, rejects: 8192, loaded });
	expect(await server.run()).toEqual({
		kind: "refused",
		reason: { kind: "rejected", line: "no 8192" },
		restored: { kind: "restored", model },
	});
	expect(server.state()).toEqual({ file: "4096", runs: loaded ? "4096" : undefined });
});

test.each<[string, Traits, readonly string[]]>([
	["by watching", { watches: true }, []],
	["by a signal", { answers: [true] }, ["signal"]],
	["by a restart", { answers: [true], version: "v100" }, ["restart"]],
])("a size that does not start is taken back %s", async (_name, traits, method) => {
	const server = rig({ fails: [8192, DIED], ...traits });
	expect(await server.run()).toEqual({
		kind: "refused",
		reason: { kind: "not-started", error: DIED },
		restored: RELOADED,
	});
	expect(server.acts()).toEqual([
		"unload m",
		"write 8192",
		...method,
		"load m with 8192",
		"write 4096",
		...method,
		"load m with 4096",
	]);
	expect(server.state()).toEqual({ file: "4096", runs: "4096" });
});

test("a model that does not load again stays unloaded", async () => {
	const server = rig({ watches: true, rejects: 8192, fails: [4096, DIED] });
	expect(await server.run()).toMatchObject({
		restored: { kind: "restored-but-unloaded", error: DIED },
	});
});

test.each([true, false])(
	"a config that cannot be written leaves the model as it was, loaded: %s",
	async (loaded) => {
		const server = rig({ readOnly: true, loaded });
		await expect(server.run()).rejects.toMatchObject({ message: "The disk is full" });
		expect(server.state()).toEqual({ file: "4096", runs: loaded ? "4096" : undefined });
		expect(server.did.at(-1)).toBe(loaded ? "load m with 4096" : "stop watching");
	},
);

test("a config that cannot be put back", async () => {
	const server = rig({ watches: true, fails: [8192, DIED], locksAfter: 8192 });
	expect(await server.run()).toMatchObject({
		reason: { kind: "not-started" },
		restored: { kind: "failed", error: new AiServerError("ssh", "The disk is full") },
	});
	expect(server.did.at(-1)).toBe("stop watching");
});

test.each([
	new AiServerError("network", "The connection broke"),
	new AiServerError("http", "no such model", { status: 404 }),
	new Error("a bug"),
])("%s is no reason to take anything back", async (error) => {
	const server = rig({ watches: true, fails: [8192, error as AiServerError] });
	await expect(server.run()).rejects.toBe(error);
	expect(server.state().file).toBe("8192");
});

test("a reload that does not bring the size is taken back", async () => {
	const server = rig({ otherFile: true, answers: [true] });
	expect(await server.run()).toEqual({
		kind: "refused",
		reason: { kind: "no-effect" },
		restored: RELOADED,
	});
	expect(server.state().file).toBe("4096");
});

test("a llama-swap that a new config ends gets the old one back", async () => {
	const server = rig({ version: "v204", endsAt: 8192, answers: [true] });
	const down = { kind: "down", error: new AiServerError("network", "No answer") };
	expect(await server.run()).toMatchObject({ reason: down, restored: RELOADED });
	expect(server.acts().filter((act) => act === "restart")).toHaveLength(2);
	const lost = rig({ version: "v204", endsAt: "any", answers: [true] });
	expect(await lost.run()).toMatchObject({ restored: { kind: "restored-but-down" } });
	expect(lost.state().file).toBe("4096");
});

const SAME = { oldText: "4096", newText: "4096", size: 4096 };

test("a config that only has to be read stops nothing before the user agrees", async () => {
	const server = rig({ answers: [false] });
	expect(await server.run(SAME)).toEqual({ kind: "unread", model: "untouched", error: undefined });
	expect([server.did, server.state().runs]).toEqual([[], "4096"]);
});

test("a config that only has to be read is not written, and not taken back", async () => {
	const server = rig({ answers: [true] });
	expect(await server.run(SAME)).toEqual(ready());
	expect(server.acts()).toEqual(["unload m", "signal", "load m with 4096"]);
	const dud = rig({ answers: [true], fails: [4096, DIED] });
	expect(await dud.run(SAME)).toEqual({
		kind: "refused",
		reason: { kind: "not-started", error: DIED },
		restored: undefined,
	});
	expect(dud.acts()).toEqual(["unload m", "signal", "load m with 4096"]);
});

const NO_RIGHTS = new AiServerError("ssh", "Signalling needs root");

test("where the signal is refused, a restart is offered", async () => {
	const server = rig({ refuses: { signal: NO_RIGHTS }, answers: [true, true] });
	expect(await server.run()).toEqual(ready());
	expect(server.acts()).toEqual([
		"unload m",
		"write 8192",
		"signal",
		"restart",
		"load m with 8192",
	]);
	expect(server.asked).toEqual(["signal", "restart"]);
	expect(server.reasons).toEqual([undefined, NO_RIGHTS]);
});

test("after a no to that, the file is written and the model unloaded", async () => {
	const server = rig({ refuses: { signal: NO_RIGHTS }, answers: [true, false] });
	expect(await server.run()).toEqual({ kind: "unread", model: "unloaded", error: undefined });
	expect(server.state()).toEqual({ file: "8192", runs: undefined });
});

test("where the restart is refused as well, the outcome has the reason", async () => {
	const refuses = { signal: NO_RIGHTS, restart: NO_RIGHTS };
	const server = rig({ refuses, answers: [true, true] });
	expect(await server.run()).toEqual({ kind: "unread", model: "unloaded", error: NO_RIGHTS });
	const same = rig({ refuses, answers: [true, true] });
	expect(await same.run(SAME)).toEqual({ kind: "unread", model: "unloaded", error: NO_RIGHTS });
});

test("a config that was read by a restart is taken back by a restart", async () => {
	const server = rig({
		refuses: { signal: NO_RIGHTS },
		answers: [true, true],
		fails: [8192, DIED],
	});
	expect(await server.run()).toMatchObject({ kind: "refused", restored: RELOADED });
	expect(server.acts().filter((act) => act === "restart")).toHaveLength(2);
	expect(server.acts().filter((act) => act === "signal")).toHaveLength(1);
});

test("what could not be tidied up is noted", async () => {
	const server = rig({ watches: true, notes: ["an old backup is left"] });
	await server.run();
	expect(server.noted).toEqual(["an old backup is left"]);
});

test("each step is over before the next, and none is left when all is done", async () => {
	const server = rig({ answers: [true], version: "v100" });
	await server.run();
	expect(server.steps.filter((_step, at) => at % 2 === 0)).toEqual([
		"unload",
		"write",
		"write",
		"reload",
		"restart",
		"reload",
		"load",
	]);
	expect(server.steps.filter((_step, at) => at % 2 === 1)).toEqual(
		server.steps.filter((_step, at) => at % 2 === 0).map((step) => `${step} is over`),
	);
});

test("the command of a running model shows whether it has the size", () => {
	const running = [
		{ id: "a", state: "ready", cmd: "llama-server -c 4096" },
		{ id: "old", state: "ready", cmd: undefined },
		{ id: "script", state: "ready", cmd: "./serve.sh --ctx-size 4096" },
	] as const;
	expect(runsWith(running, "a", 4096)).toBe(true);
	expect(runsWith(running, "a", 8192)).toBe(false);
	expect(runsWith(running, "old", 4096)).toBeUndefined();
	expect(runsWith(running, "script", 4096)).toBeUndefined();
	expect(runsWith(running, "script", 8192)).toBe(false);
	expect(runsWith(running, "gone", 4096)).toBe(false);
});

test("only a model that is ready is asked for its window: the question would load another", async () => {
	const asked: string[] = [];
	const admin = {
		readProps: async (id: string) => {
			asked.push(id);
			return { contextWindow: 4096 };
		},
	};
	const running = [
		{ id: "a", state: "ready", cmd: undefined },
		{ id: "b", state: "starting", cmd: undefined },
	] as const;
	expect(await readContextWindow("a", running, admin)).toBe(4096);
	expect(await readContextWindow("b", running, admin)).toBeUndefined();
	expect(await readContextWindow("c", running, admin)).toBeUndefined();
	expect(asked).toEqual(["a"]);
});
