import { expect, test } from "vitest";
import type { ApplyOutcome, Reason, Restored } from "../../admin/apply-outcome.ts";
import { AiServerError } from "../../lib/errors.ts";
import {
	describeOutcome,
	describeReload,
	describeStep,
	describeWindow,
} from "../../ui/apply-words.ts";
import { NAMES } from "../support/command-rig.ts";

const DIED = new AiServerError("http", "HTTP 500 for loading m: it exited", {
	status: 500,
	said: "it exited",
	hint: "Its log says: out of memory",
});
const DOWN = new AiServerError("network", "No answer", { hint: "Check the URL", setting: "url" });

test.each<[ApplyOutcome, string]>([
	[{ kind: "ready", given: 8192, verified: true }, "m is ready with 8192 tokens of context"],
	[
		{ kind: "ready", given: 65_536, verified: false },
		"m is loaded, and the config sets 8192 tokens for it. The server of m reports 65536 tokens, so this is not confirmed",
	],
	[
		{ kind: "ready", given: 4096, verified: true },
		"m is ready with 4096 tokens of context per request; the config sets 8192",
	],
	[
		{ kind: "ready", given: undefined, verified: false },
		"m is loaded, and the config sets 8192 tokens for it. The server of m does not report its context size, so this is not confirmed",
	],
	[
		{ kind: "unread", model: "untouched", error: undefined },
		"The config sets 8192 tokens for m, but the change is not active yet; run /box-restart",
	],
	[
		{ kind: "unread", model: "unloaded", error: undefined },
		"The config sets 8192 tokens for m, but the change is not active yet; run /box-restart. m is unloaded",
	],
	[
		{ kind: "unread", model: "runs-as-before", error: undefined },
		"The config sets 8192 tokens for m, but the change is not active yet; run /box-restart. Until then m runs as before",
	],
])("%j", (outcome, text) => {
	expect(describeOutcome("m", 8192, outcome, NAMES)).toBe(text);
});

test.each<[Reason, string]>([
	[
		{ kind: "rejected", line: "line 3" },
		"llama-swap rejected the config with 8192 tokens for m: line 3",
	],
	[
		{ kind: "down", error: DOWN },
		"llama-swap did not come back with 8192 tokens for m: No answer. Check the URL (<url>)",
	],
	[
		{ kind: "not-started", error: DIED },
		"m does not start with 8192 tokens: it exited. Its log says: out of memory",
	],
	[
		{ kind: "not-started", error: DOWN },
		"m does not start with 8192 tokens: No answer. Check the URL (<url>)",
	],
	[
		{ kind: "no-effect" },
		"m still does not run with 8192 tokens: llama-swap rejected the config, or reads a file other than <configPath>",
	],
])("a config that is refused: %j", (reason, message) => {
	expect(() =>
		describeOutcome("m", 8192, { kind: "refused", reason, restored: undefined }, NAMES),
	).toThrowError(expect.objectContaining({ code: "config", message, hint: undefined }));
});

test.each<[Restored, string]>([
	[{ kind: "restored", model: "untouched" }, "The old config was restored"],
	[{ kind: "restored", model: "loaded" }, "The old config was restored and m was loaded again"],
	[
		{ kind: "restored-but-unloaded", error: DIED },
		"The old config was restored, but m could not be loaded again: HTTP 500 for loading m: it exited. Its log says: out of memory",
	],
	[
		{ kind: "restored-but-down", error: DOWN },
		"The old config was restored, but llama-swap did not come back: No answer. Check the URL (<url>)",
	],
	[
		{ kind: "failed", error: new Error("The disk is full") },
		"The old config could not be restored: The disk is full",
	],
])("what became of the old config: %j", (restored, hint) => {
	expect(() =>
		describeOutcome("m", 8192, { kind: "refused", reason: { kind: "no-effect" }, restored }, NAMES),
	).toThrowError(expect.objectContaining({ hint }));
});

test("the size, and the one that a request really gets", () => {
	expect(describeWindow(8192, undefined)).toBe("8192 tokens of context");
	expect(describeWindow(8192, 4096)).toBe(
		"4096 tokens of context per request; the config sets 8192",
	);
});

test("a reload is asked about with what it ends", async () => {
	const admin = { listRunning: async () => [], inFlight: async () => undefined };
	const message = "This server does not watch its config file. No model is loaded.";
	expect(await describeReload("signal", admin)).toEqual({
		title: "Make llama-swap reload its config?",
		message,
	});
	expect(await describeReload("restart", admin)).toEqual({
		title: "Restart llama-swap to reload its config?",
		message,
	});
});

test("a reload that the server refused is an error with what has become of file and model", () => {
	const error = new AiServerError("ssh", "Restarting needs root", { hint: "Add a sudoers line" });
	expect(() =>
		describeOutcome("m", 8192, { kind: "unread", model: "unloaded", error }, NAMES),
	).toThrowError(
		expect.objectContaining({
			code: "ssh",
			message: "The config sets 8192 tokens for m, but the change is not active yet. m is unloaded",
			hint: "Restarting needs root. Add a sudoers line",
		}),
	);
});

test("a restart in place of a signal is asked about with the reason", async () => {
	const admin = { listRunning: async () => [], inFlight: async () => undefined };
	expect((await describeReload("restart", admin, "Signalling needs root")).message).toBe(
		"The config is written, but the signal was not sent: Signalling needs root. No model is loaded.",
	);
});

test("each step has its own line", () => {
	const steps = ["unload", "write", "reload", "restart", "load", "load-old"] as const;
	const lines = steps.map((step) => describeStep(step, "m"));
	expect(new Set(lines).size).toBe(steps.length);
	expect(lines.every((line) => line.endsWith("…"))).toBe(true);
});
