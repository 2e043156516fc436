import { expect, test } from "vitest";
import { waitVisibly } from "../../ui/loader.ts";

type Context = Parameters<typeof waitVisibly>[2];
type Screen = { handleInput(data: string): void; render(width: number): readonly string[] };

/** A pi in the TUI that shows the screen, and types what it is told to. */
function terminal(type: (screen: Screen) => void): Context {
	const custom = (
		make: (
			tui: unknown,
			theme: unknown,
			keys: unknown,
			close: (result: unknown) => void,
		) => Screen & { dispose(): void },
	): Promise<unknown> => {
		const { promise, resolve } = Promise.withResolvers<unknown>();
		const theme = { fg: (_colour: string, text: string) => text };
		const screen = make({ requestRender: () => undefined }, theme, undefined, resolve);
		type(screen);
		return promise.finally(() => screen.dispose());
	};
	return { pi: { mode: "tui", ui: { custom } }, now: () => 0 } as unknown as Context;
}

test("in the TUI a screen shows what is waited for until it is done", async () => {
	let text = "";
	const context = terminal((screen) => {
		text = screen.render(80).join("\n");
	});
	expect(await waitVisibly("Loading m", async () => undefined, context)).toBe(true);
	expect(text).toContain("Loading m (0 s, escape stops waiting)");
});

test("Escape stops waiting, and the work learns of it", async () => {
	let signal: AbortSignal | undefined;
	const work = (given?: AbortSignal): Promise<void> => {
		signal = given;
		return new Promise(() => undefined);
	};
	const context = terminal((screen) => screen.handleInput("\u001b"));
	expect(await waitVisibly("Loading m", work, context)).toBe(false);
	expect(signal?.aborted).toBe(true);
});

test("work that fails rejects as it did", async () => {
	const error = new Error("gone");
	const context = terminal(() => undefined);
	await expect(waitVisibly("Loading m", () => Promise.reject(error), context)).rejects.toBe(error);
});

test("elsewhere the footer shows it", async () => {
	const shown: string[] = [];
	const context = {
		pi: { mode: "rpc" },
		doing: (what: string, work: () => Promise<void>) => {
			shown.push(what);
			return work();
		},
	} as unknown as Context;
	expect(await waitVisibly("Loading m", async () => undefined, context)).toBe(true);
	expect(shown).toEqual(["Loading m…"]);
});
