import { expect, test } from "vitest";
import { createDoing } from "../../ui/footer.ts";

function rig(hasUI: boolean) {
	const shown: (string | undefined)[] = [];
	const ui = {
		setStatus: (key: string, text: string | undefined) => {
			expect(key).toBe("box");
			shown.push(text);
		},
	};
	const context = { hasUI, ui } as Parameters<typeof createDoing>[0];
	return { shown, doing: createDoing(context, "box") };
}

test("work is shown while it is done, without control characters", async () => {
	const { shown, doing } = rig(true);
	const gate = Promise.withResolvers<number>();
	const work = doing("Loading a\u001b[2Jb…", () => gate.promise);
	expect(shown).toEqual(["Loading ab…"]);
	gate.resolve(7);
	expect(await work).toBe(7);
	expect(shown).toEqual(["Loading ab…", undefined]);
});

test("work that fails is no longer shown, and fails as it did", async () => {
	const { shown, doing } = rig(true);
	const error = new Error("gone");
	await expect(doing("Loading…", () => Promise.reject(error))).rejects.toBe(error);
	expect(shown).toEqual(["Loading…", undefined]);
});

test("in print and json mode nothing is shown", async () => {
	const { shown, doing } = rig(false);
	expect(await doing("Loading…", async () => 7)).toBe(7);
	expect(shown).toEqual([]);
});
