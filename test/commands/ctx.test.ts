import { expect, test } from "vitest";
import { ctxCommand, describeEdit } from "../../commands/ctx.ts";
import { AiServerError } from "../../lib/errors.ts";
import { commandRig } from "../support/command-rig.ts";

const yamlOf = (cmd: string): string => `models:\n  tiny:\n    cmd: ${cmd}\n`;

interface Box {
	readonly cmd?: string;
	readonly running?: string;
	readonly confirms?: readonly boolean[];
	readonly mode?: "tui" | "print";
	readonly trained?: number;
	/** Its models' server does not report a context size. */
	readonly silent?: boolean;
}

/** A server that watches its config. */
function rig({ cmd = "llama-server -c 4096", running, confirms = [], ...traits }: Box) {
	const did: string[] = [];
	let file = yamlOf(cmd);
	let runs = running;
	const admin = {
		readPreset: async () => file,
		trainedContext: async () => {
			if (traits.trained === undefined) throw new AiServerError("config", "unknown");
			return traits.trained;
		},
		listRunning: async () =>
			runs === undefined ? [] : [{ id: "tiny", state: "ready" as const, cmd: runs }],
		readProps: async () => {
			const size = Number(/-c (\d+)/.exec(runs ?? "")?.[1]);
			return traits.silent === true || Number.isNaN(size) ? {} : { contextWindow: size };
		},
		unload: async () => {
			did.push("unload");
			runs = undefined;
		},
		load: async () => {
			did.push("load");
			runs = /cmd: (.*)/.exec(file)?.[1];
		},
		writePreset: async (_expected: string, text: string) => {
			did.push("write");
			file = text;
			return { realPath: "/c", backupPath: "/c.bak", notes: [] };
		},
		watchReload: async () => ({
			outcome: async () => ({ kind: "ended" as const }),
			close: () => undefined,
		}),
	};
	const { mode = "tui" } = traits;
	return { ...commandRig({ mode, admin, confirms }), did, file: () => file };
}

test("the lines are shown, and after a yes the model runs with the size", async () => {
	const box = rig({ running: "llama-server -c 4096", confirms: [true] });
	await box.run(ctxCommand, "tiny 8k");
	expect(box.asked).toEqual([
		[
			"Context of tiny: 4096 → 8192? | line 3:",
			"- cmd: llama-server -c 4096",
			"+ cmd: llama-server -c 8192",
			"tiny is loaded: it will be stopped and loaded again, which cuts off answers in progress.",
		].join("\n"),
	]);
	expect(box.did).toEqual(["unload", "write", "load"]);
	expect(box.log).toEqual(["tiny is ready with 8192 tokens of context", "refresh"]);
});

test("after a no nothing was changed", async () => {
	const box = rig({ confirms: [false] });
	await box.run(ctxCommand, "tiny 8k");
	expect([box.did, box.file()]).toEqual([[], yamlOf("llama-server -c 4096")]);
	expect(box.log[0]).toBe("Nothing was changed");
});

test.each<[string, Box, string]>([
	["confirmed", { running: "llama-server -c 4096" }, "tiny has 4096 tokens of context already"],
	[
		"not confirmed",
		{ running: "llama-server -c 4096", silent: true },
		"The config sets 4096 tokens for tiny already. The server of tiny does not report its context size, so this is not confirmed",
	],
	["not loaded", {}, "The config sets 4096 tokens for tiny already; tiny is not loaded"],
])(
	"a size that it has already changes nothing and asks nothing: %s",
	async (_name, traits, line) => {
		const box = rig(traits);
		await box.run(ctxCommand, "tiny 4096");
		expect([box.did, box.asked]).toEqual([[], []]);
		expect(box.log[0]).toBe(line);
	},
);

test("what the model's server does not confirm is a warning", async () => {
	const box = rig({ silent: true, confirms: [true] });
	await box.run(ctxCommand, "tiny 8k");
	expect(box.did).toContain("load");
	expect(box.log).toEqual([
		"Warning: tiny is loaded, and the config sets 8192 tokens for it. The server of tiny does not report its context size, so this is not confirmed",
		"refresh",
	]);
});

test("max is what the model was trained for", async () => {
	const box = rig({ trained: 16_384, confirms: [true] });
	await box.run(ctxCommand, "tiny max");
	expect(box.file()).toBe(yamlOf("llama-server -c 16384"));
	expect(box.footer.slice(0, 2)).toEqual([
		"Reading the config…",
		"Looking up the training context…",
	]);
});

test.each([["./serve.sh ${PORT}"], ["mlx_lm.server --model m --port ${PORT}"]])(
	"%s is refused before anything is unloaded",
	async (cmd) => {
		const box = rig({ cmd, running: cmd });
		await expect(box.run(ctxCommand, "tiny 8k --yes")).rejects.toMatchObject({ code: "config" });
		expect([box.did, box.file()]).toEqual([[], yamlOf(cmd)]);
	},
);

test.each(["lots", "0", "1e5"])("%s is not a size", async (size) => {
	await expect(rig({}).run(ctxCommand, `tiny ${size}`)).rejects.toMatchObject({
		code: "usage",
		message: `${size} is not a context size`,
		hint: "Write it as 65536, 64k or max",
	});
});

test("print mode needs --yes", async () => {
	const box = rig({ mode: "print" });
	await expect(box.run(ctxCommand, "tiny 8k")).rejects.toMatchObject({
		hint: "Append --yes: /box-ctx tiny 8192 --yes",
	});
	await box.run(ctxCommand, "tiny 8k --yes");
	expect(box.log[0]).toBe("tiny is ready with 8192 tokens of context");
});

test("what changes along, and what does not", () => {
	const edit = {
		yaml: "",
		id: "m",
		before: undefined,
		after: 4096,
		changes: [{ line: 3, before: undefined, after: "  --ctx-size 4096" }],
		kept: ["capabilities.context"],
		left: ["metadata.n_ctx"],
	};
	expect(describeEdit(edit, false)).toEqual({
		title: "Context of m: not set → 4096?",
		message: [
			"line 3:",
			"+ --ctx-size 4096",
			"Also updated: capabilities.context",
			"Not updated: metadata.n_ctx",
			"m will be loaded afterwards, which may stop another model.",
		].join("\n"),
	});
});
