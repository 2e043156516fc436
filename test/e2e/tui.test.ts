import { afterEach, expect, test } from "vitest";
import { type Box, startBox } from "../../demo/box.ts";
import { HOSTS } from "../support/hosts.ts";
import { type Isolated, isolate } from "../support/pi.ts";
import { hasTmux, openTerminal, type Terminal } from "../support/terminal.ts";

let box: Box | undefined;
let place: Isolated | undefined;
let terminal: Terminal | undefined;

afterEach(async () => {
	await terminal?.close();
	await box?.close();
	await place?.remove();
});

test.runIf(hasTmux("tui.test.ts")).each(HOSTS)(
	"pi %s on a screen: status, completion, load, a streamed turn, unload",
	async (host) => {
		box = await startBox({ tokenMs: 10, loadMs: 500 });
		place = await isolate();
		terminal = await openTerminal(host, box, place);
		const { screen, type, press, shows } = terminal;

		await shows("Qwen_Qwen3.6");
		// Right after the start pi takes keys but completes nothing yet, so the slash is typed again.
		const slash = async (): Promise<string> => {
			const shown = await screen();
			if (shown.includes("→ ")) return shown;
			await press("C-u");
			await type("/");
			return "";
		};
		const begin = async (name: string): Promise<void> => {
			await expect.poll(slash, { interval: 400 }).toContain("→ ");
			await type(name);
		};
		await begin("ai-server-status");
		await shows(/→ ai-server-status/);
		await press("Enter");
		await shows(/small-talk-1B +stopped +65536 +config/);

		await begin("ai-server-load");
		await shows(/→ ai-server-load/);
		await press("Tab");
		await shows(/^\/ai-server-load\s*$/m);
		await type("sm");
		await shows(/→ small-talk-1B +stopped, 65536 tokens/);
		await press("Tab");
		await shows(/\/ai-server-load small-talk-1B/);
		await press("Enter");
		await shows(/small-talk-1B is ready \(\d+ s\)/);

		await type("What is this?");
		await press("Enter");
		await shows(/Without one the server/); // streaming: the end is not there yet
		await shows(/nothing stays when you quit/);

		await type("/ai-server-unload Qwen_Qwen3.6-35B-A3B-Q8_0");
		await press("Escape"); // closes the popup, so that Enter submits
		await press("Enter");
		await shows(/Q8_0 is unloaded/);
		expect(box.swap.states()["Qwen_Qwen3.6-35B-A3B-Q8_0"]).toBe("stopped");
	},
);
