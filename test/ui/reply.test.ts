import { afterEach, expect, test } from "vitest";
import { AiServerError } from "../../lib/errors.ts";
import { createReply } from "../../ui/reply.ts";
import { NAMES } from "../support/command-rig.ts";

type Context = Parameters<typeof createReply>[1];

function rig(mode: Context["mode"]) {
	const shown: string[] = [];
	const entries: unknown[] = [];
	const ui = { notify: (text: string, kind: string) => void shown.push(`${kind}: ${text}`) };
	const context = { mode, hasUI: mode === "tui" || mode === "rpc", ui } as unknown as Context;
	const pi = { appendEntry: (type: string, data: unknown) => void entries.push({ type, data }) };
	return { shown, entries, reply: createReply(pi, context, NAMES) };
}

const before = process.exitCode;
afterEach(() => {
	process.exitCode = before;
});

test.each(["tui", "rpc"] as const)("in %s mode lines are notifications", (mode) => {
	const { shown, reply } = rig(mode);
	reply.say("done");
	reply.warn("odd");
	reply.fail(new AiServerError("network", "Gone", { hint: "Check the URL", setting: "url" }));
	expect(shown).toEqual(["info: done", "warning: odd", "error: Gone. Check the URL (<url>)"]);
	expect(process.exitCode).toBe(before);
});

test("what has lines of its own becomes an entry, and in rpc mode a notification too", () => {
	const draw = (data: number, width: number): readonly string[] => [`${data} at ${width}`];
	const tui = rig("tui");
	tui.reply.show("kind", 7, draw);
	expect([tui.entries, tui.shown]).toEqual([[{ type: "kind", data: 7 }], []]);
	const rpc = rig("rpc");
	rpc.reply.show("kind", 7, draw);
	expect(rpc.entries).toEqual([{ type: "kind", data: 7 }]);
	expect(rpc.shown).toEqual([expect.stringMatching(/^info: 7 at \d+$/)]);
});
