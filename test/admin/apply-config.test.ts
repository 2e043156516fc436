import { expect, test } from "vitest";
import { type Change, takeEffect } from "../../admin/apply-config.ts";
import type { Admin } from "../../admin.ts";
import { AiServerError } from "../../lib/errors.ts";
import type { ReloadOutcome } from "../../lib/llama-swap/api/events.ts";
import type { CommandContext } from "../../ui/context.ts";
import { createDoing } from "../../ui/footer.ts";

/** A server with one model, "m", whose config is nothing but its size. */
interface Traits {
	readonly watches?: boolean;
	readonly hasEvents?: boolean;
	readonly version?: string;
	readonly showsCommand?: boolean;
	/** True for a file that is not the one that llama-swap reads. */
	readonly otherFile?: boolean;
	readonly rejects?: number;
	/** The size that the model does not start with, and how that is told. */
	readonly fails?: readonly [size: number, AiServerError];
	/** The size with which llama-swap itself does not start. */
	readonly endsAt?: number | "any";
	/** The size after which the file cannot be written any more. */
	readonly locksAfter?: number;
	readonly given?: number | AiServerError;
	readonly loaded?: boolean;
	readonly answers?: readonly boolean[];
	readonly hasUI?: boolean;
	readonly notes?: readonly string[];
}

const DIED = new AiServerError("http", "HTTP 500 for loading m: it exited", {
	...{ status: 500, said: "it exited", hint: "Its log says: out of memory" },
});

function rig(traits: Traits) {
	const { watches = false, hasEvents = true, version = "v250", showsCommand = true } = traits;
	const { loaded = true, hasUI = true } = traits;
	const did: string[] = [];
	const asked: string[] = [];
	const shown: (string | undefined)[] = [];
	const warned: string[] = [];
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
							...{ id: "m", state: "ready" },
							cmd: showsCommand ? `llama-server -c ${runs}` : undefined,
						},
					],
		load: async (id) => {
			did.push(`load ${id} with ${read}`);
			const [size, fault] = traits.fails ?? [];
			if (read === String(size)) throw fault;
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
			if (locked) throw new AiServerError("ssh", "The disk is full");
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
			readFile();
		},
		restart: async () => {
			did.push("restart");
			if (traits.endsAt === "any" || file === String(traits.endsAt)) {
				throw new AiServerError("network", "No answer");
			}
			readFile();
		},
	};
	const ui = {
		confirm: async (title: string, message: string) => {
			asked.push(`${title} ${message}`);
			const answer = answers.shift();
			if (answer === undefined) throw new Error(`Nobody expects: ${title}`);
			return answer;
		},
		setStatus: (_key: string, text: string | undefined) => void shown.push(text),
	};
	const pi = { hasUI, ui } as unknown as CommandContext["pi"];
	const reply = { warn: (text: string) => void warned.push(text) } as CommandContext["reply"];
	// What takeEffect may not do to a server is not there, and would throw.
	const admin = served as Admin;
	const context = { admin, reply, pi, wait: async () => undefined, doing: createDoing(pi) };
	const run = (more: Partial<Change> = {}): Promise<string> =>
		takeEffect(
			{
				...{ id: "m", size: 8192, loaded, oldText: "4096", newText: "8192" },
				...{ yes: false, command: "/do", ...more },
			},
			context,
		);
	const state = () => ({ file, runs });
	const acts = () => did.filter((line) => !line.includes("watch"));
	return { run, state, acts, did, asked, shown, warned };
}

const READY = "m is ready with 8192 tokens of context";
const UNREAD =
	"The config says 8192 for m, but llama-swap has not read it yet: /ai-server-restart makes it";

test("a server that watches its config reads it, and the model is loaded", async () => {
	const server = rig({ watches: true, given: 8192 });
	expect(await server.run()).toBe(READY);
	expect(server.did).toEqual([
		...["unload m", "watch", "write 8192", "stop watching", "load m with 8192"],
	]);
	expect(server.asked).toEqual([]);
});

test.each<[string, Traits, string]>([
	["that gives less", { given: 4096 }, "4096"],
	["that rounds up", { given: 8448 }, "8448"],
	["that shows no command", { given: 4096, showsCommand: false }, "4096"],
])("a server %s is told by what it gives", async (_name, traits, given) => {
	const server = rig({ watches: true, ...traits });
	expect(await server.run()).toBe(
		`m is ready with ${given} tokens of context: the config asks for 8192, its server gives a request ${given}`,
	);
	expect(server.acts().filter((line) => line.startsWith("load"))).toHaveLength(1);
});

test.each<[string, Traits, string]>([
	["tells nothing", {}, ""],
	["fails to tell", { given: new AiServerError("timeout", "too slow") }, ""],
	[
		"shows nothing at all",
		{ showsCommand: false },
		" (this llama-swap does not show whether it runs so)",
	],
	["shows no command but tells the size", { showsCommand: false, given: 8192 }, ""],
])("a server that %s has the size that was asked for", async (_name, traits, doubt) => {
	expect(await rig({ watches: true, ...traits }).run()).toBe(`${READY}${doubt}`);
});

test("without events a plain load shows that the config was read", async () => {
	const server = rig({ watches: true, hasEvents: false });
	expect(await server.run()).toBe(READY);
	expect(server.did).toEqual(["unload m", "write 8192", "load m with 8192"]);
	expect(server.asked).toEqual([]);
});

test("without events a load with the old size shows that it was not", async () => {
	const server = rig({ hasEvents: false, answers: [true] });
	expect(await server.run()).toBe(READY);
	expect(server.acts()).toEqual([
		...["unload m", "write 8192", "load m with 4096", "signal", "load m with 8192"],
	]);
});

test.each([
	["v205", "signal", "Make llama-swap read its config again?"],
	["v204", "restart", "Restart llama-swap, so that it reads its config?"],
])("%s that stays silent gets a %s when the user agrees", async (version, means, title) => {
	const server = rig({ version, answers: [true] });
	expect(await server.run()).toBe(READY);
	expect(server.acts()).toEqual(["unload m", "write 8192", means, "load m with 8192"]);
	expect(server.asked).toEqual([
		`${title} This server does not watch its config. No model is loaded.`,
	]);
});

test("with --yes nobody is asked", async () => {
	const server = rig({ hasUI: false });
	expect(await server.run({ yes: true })).toBe(READY);
	expect(server.acts()).toContain("signal");
	expect(server.shown).toEqual([]);
});

test.each<[string, Traits, string, string | undefined]>([
	["a model that was loaded is unloaded", {}, "; m is unloaded", undefined],
	["one that was not is not spoken of", { loaded: false }, "", undefined],
	["one that was tried runs", { hasEvents: false }, "; until then m runs as before", "4096"],
])("after a no %s", async (_name, traits, became, runs) => {
	const server = rig({ answers: [false], ...traits });
	expect(await server.run()).toBe(`${UNREAD}${became}`);
	expect(server.state()).toEqual({ file: "8192", runs });
});

test.each<[string, boolean, string]>([
	["that was loaded is loaded again", true, "The config is as it was, and m is loaded again"],
	["that was not loaded stays so", false, "The config is as it was"],
])("a rejected config is taken back, and a model %s", async (_name, loaded, hint) => {
	const server = rig({ watches: true, rejects: 8192, loaded });
	await expect(server.run()).rejects.toMatchObject({
		code: "config",
		message: "llama-swap rejects the config with 8192 for m: no 8192",
		hint,
	});
	expect(server.state()).toEqual({ file: "4096", runs: loaded ? "4096" : undefined });
});

test.each<[string, Traits, readonly string[]]>([
	["by watching", { watches: true }, []],
	["by a signal", { answers: [true] }, ["signal"]],
	["by a restart", { answers: [true], version: "v100" }, ["restart"]],
])("a size that does not start is taken back %s", async (_name, traits, means) => {
	const server = rig({ fails: [8192, DIED], ...traits });
	await expect(server.run()).rejects.toMatchObject({
		message: "m does not start with 8192 tokens: it exited. Its log says: out of memory",
		hint: "The config is as it was, and m is loaded again",
		cause: { cause: DIED },
	});
	expect(server.acts()).toEqual([
		...["unload m", "write 8192", ...means, "load m with 8192"],
		...["write 4096", ...means, "load m with 4096"],
	]);
	expect(server.state()).toEqual({ file: "4096", runs: "4096" });
});

test("an error without the server's words is told as it is", async () => {
	const fault = new AiServerError("http", "llama-swap is down", { status: 502, hint: "Start it" });
	await expect(rig({ watches: true, fails: [8192, fault] }).run()).rejects.toThrow(
		"m does not start with 8192 tokens: llama-swap is down. Start it",
	);
});

test("a model that does not load again is told as unloaded", async () => {
	const server = rig({ watches: true, rejects: 8192, fails: [4096, DIED] });
	await expect(server.run()).rejects.toMatchObject({
		hint: "The config is as it was, but m is unloaded: HTTP 500 for loading m: it exited. Its log says: out of memory",
	});
});

test("a config that cannot be put back is told", async () => {
	const server = rig({ watches: true, fails: [8192, DIED], locksAfter: 8192 });
	await expect(server.run()).rejects.toMatchObject({
		message: expect.stringContaining("m does not start with 8192 tokens"),
		hint: "The old config could not be put back: The disk is full",
	});
	expect(server.did.at(-1)).toBe("stop watching");
});

test("a broken line is no reason to take anything back", async () => {
	const fault = new AiServerError("network", "The line broke");
	const server = rig({ watches: true, fails: [8192, fault] });
	await expect(server.run()).rejects.toBe(fault);
	expect(server.state().file).toBe("8192");
});

test("a reload that does not bring the size is taken back, and makes the file suspicious", async () => {
	const server = rig({ otherFile: true, answers: [true] });
	await expect(server.run()).rejects.toMatchObject({
		message:
			"m still does not run with 8192 tokens: llama-swap rejects the config, or reads another file than AI_SERVER_PRESET_PATH",
		hint: "The config is as it was, and m is loaded again",
	});
	expect(server.state().file).toBe("4096");
});

test("a llama-swap that a new config ends gets the old one back", async () => {
	const server = rig({ version: "v204", endsAt: 8192, answers: [true] });
	await expect(server.run()).rejects.toMatchObject({
		message: "llama-swap does not come back with 8192 for m: No answer",
		hint: "The config is as it was, and m is loaded again",
	});
	expect(server.acts().filter((act) => act === "restart")).toHaveLength(2);
	const lost = rig({ version: "v204", endsAt: "any", answers: [true] });
	await expect(lost.run()).rejects.toMatchObject({
		hint: "The config is as it was, but llama-swap does not come back: No answer",
	});
	expect(lost.state().file).toBe("4096");
});

const SAME = { oldText: "4096", newText: "4096", size: 4096 };

test("a config that only has to be read stops nothing before the user agrees", async () => {
	const server = rig({ answers: [false] });
	expect(await server.run(SAME)).toBe(UNREAD.replace("8192", "4096"));
	expect([server.did, server.state().runs]).toEqual([[], "4096"]);
	const alone = rig({ hasUI: false });
	await expect(alone.run(SAME)).rejects.toMatchObject({ hint: expect.stringContaining("--yes") });
	expect(alone.did).toEqual([]);
});

test("a config that only has to be read is not written, and not taken back", async () => {
	const server = rig({ answers: [true] });
	expect(await server.run(SAME)).toBe("m is ready with 4096 tokens of context");
	expect(server.acts()).toEqual(["unload m", "signal", "load m with 4096"]);
	const dud = rig({ answers: [true], fails: [4096, DIED] });
	await expect(dud.run(SAME)).rejects.toMatchObject({
		message: "m does not start with 4096 tokens: it exited. Its log says: out of memory",
		hint: undefined,
	});
	expect(dud.acts()).toEqual(["unload m", "signal", "load m with 4096"]);
});

test("what could not be tidied up is told", async () => {
	const server = rig({ watches: true, notes: ["an old backup is left"] });
	await server.run();
	expect(server.warned).toEqual(["an old backup is left"]);
});

const said = (shown: readonly (string | undefined)[]): readonly string[] =>
	shown.filter((text, at) => text !== undefined && text !== shown[at - 2]) as string[];

test("each step is shown, nothing during a question, and nothing when all is over", async () => {
	const server = rig({ answers: [true], version: "v100" });
	await server.run();
	expect(said(server.shown)).toEqual([
		...["Unloading m…", "Writing the config…", "Waiting for llama-swap to read it…"],
		...["Restarting llama-swap…", "Waiting for llama-swap to read it…", "Loading m…"],
	]);
	expect(server.shown.filter((_text, at) => at % 2 === 1).every((text) => text === undefined)).toBe(
		true,
	);
	expect(server.shown.at(-1)).toBeUndefined();
});

test("a failure leaves nothing shown either", async () => {
	const server = rig({ watches: true, fails: [8192, DIED], loaded: false });
	await expect(server.run()).rejects.toThrow();
	expect(said(server.shown)).toContain("Loading m…");
	expect(server.shown.at(-1)).toBeUndefined();
});
