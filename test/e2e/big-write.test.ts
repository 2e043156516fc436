import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { type Box, startBox } from "../../demo/box.ts";
import { programOf } from "../../demo/llama-server/speech.ts";
import type { Host } from "../../hosts/hosts.ts";
import { HOSTS } from "../support/hosts.ts";
import { type Isolated, isolate } from "../support/pi.ts";
import { hasTmux, openTerminal, type Terminal } from "../support/terminal.ts";

const onScreen = test.runIf(hasTmux("big-write.test.ts"));
let box: Box | undefined;
let place: Isolated | undefined;
let terminal: Terminal | undefined;

afterEach(async () => {
	await terminal?.close();
	await box?.close();
	await place?.remove();
});

interface Stage {
	readonly box: Box;
	readonly terminal: Terminal;
	readonly file: string;
}

async function ask(host: Host, tokenMs: number, prompt: string): Promise<Stage> {
	box = await startBox({ tokenMs });
	place = await isolate();
	terminal = await openTerminal(host, box, place);
	await terminal.shows("Qwen_Qwen3.6");
	await terminal.type(prompt);
	await terminal.shows(prompt);
	// Right after the start pi takes keys but no prompt yet, so Enter is pressed until one is sent.
	const stage = { box, terminal, file: join(place.cwd, "rows.py") };
	const sent = async (): Promise<boolean> => {
		if (chatAt(stage.box) < 0) await stage.terminal.press("Enter");
		return chatAt(stage.box) >= 0;
	};
	await expect.poll(sent, { interval: 300 }).toBe(true);
	return stage;
}

/** Where the first chat stands among the requests; -1 before there is one. */
function chatAt({ front }: Box): number {
	return front.seen.findIndex(({ path }) => path === "/v1/chat/completions");
}

onScreen.each(HOSTS)(
	"pi %s writes a 200 KB file that comes as fast as the connection takes it",
	async (host) => {
		const { terminal, file } = await ask(host, 0, "write a 200 KB file");
		await terminal.shows(/The tool answered with 1 line/, 60_000);
		const written = await readFile(file);
		expect(written.byteLength).toBe(200 * 1024);
		expect(written.equals(Buffer.from(programOf(200 * 1024)))).toBe(true);
	},
);

onScreen.each(HOSTS)(
	"pi %s: Escape while a file streams in ends the turn, here and on the server",
	async (host) => {
		const { box, terminal, file } = await ask(host, 1, "write a 2000 KB file");
		await terminal.shows(/row 0{9}\d/);
		expect(await terminal.screen()).not.toContain("Operation aborted");
		const pressed = performance.now();
		const since = (): string => `${Math.round(performance.now() - pressed)} ms`;
		const left = box.front.answered[chatAt(box)]?.then((whole) => ({ whole, after: since() }));
		await terminal.press("Escape");
		await terminal.shows("Operation aborted");
		const shown = since();
		const seen = await left;
		console.log(`pi ${host}: Escape reached the server after ${seen?.after}, the screen ${shown}`);
		expect(seen?.whole).toBe(false);
		await expect(readFile(file)).rejects.toThrow("ENOENT");

		await terminal.type("hello");
		await terminal.press("Enter");
		await terminal.shows(/Hello from Qwen/); // the turn is over, and the next one works
	},
);
