import type { Theme } from "@earendil-works/pi-coding-agent";
import { CancellableLoader, Container, Spacer, type TUI } from "@earendil-works/pi-tui";
import type { CommandContext } from "./context.ts";

/**
 * Waits for work that may take minutes: in the TUI with a screen that counts the seconds and that
 * Escape closes, elsewhere with a line in the footer. True when the work is done, false when the
 * user stopped waiting; `work` gets the signal of that.
 */
export async function waitVisibly(
	what: string,
	work: (signal?: AbortSignal) => Promise<void>,
	{ pi, now, doing }: Pick<CommandContext, "pi" | "now" | "doing">,
): Promise<boolean> {
	if (pi.mode !== "tui") {
		await doing(`${what}…`, work);
		return true;
	}
	const outcome = await pi.ui.custom<Outcome>((tui, theme, _keys, close) => {
		const screen = new WaitScreen(tui, theme, what, now);
		const finish = (result: Outcome): void => {
			screen.stop();
			close(result);
		};
		screen.loader.onAbort = () => finish({ kind: "stopped" });
		work(screen.loader.signal).then(
			() => finish({ kind: "done" }),
			(error: unknown) => finish({ kind: "failed", error }),
		);
		return screen;
	});
	if (outcome.kind === "failed") throw outcome.error;
	return outcome.kind === "done";
}

type Outcome =
	| { readonly kind: "done" | "stopped" }
	| { readonly kind: "failed"; readonly error: unknown };

/** pi-tui gives the focus to the outermost component, so that is where the keys arrive. */
class WaitScreen extends Container {
	readonly loader: CancellableLoader;
	private readonly clock: NodeJS.Timeout;

	constructor(tui: TUI, theme: Theme, what: string, now: () => number) {
		super();
		const started = now();
		const text = (): string =>
			`${what} (${Math.round((now() - started) / 1000)} s, escape stops waiting)`;
		this.loader = new CancellableLoader(
			tui,
			(part) => theme.fg("accent", part),
			(part) => theme.fg("muted", part),
			text(),
		);
		this.clock = setInterval(() => this.loader.setMessage(text()), 1000);
		this.addChild(this.loader);
		this.addChild(new Spacer(1));
	}

	handleInput(data: string): void {
		this.loader.handleInput(data);
	}

	stop(): void {
		clearInterval(this.clock);
		this.loader.stop();
	}

	dispose(): void {
		this.stop();
		this.loader.dispose();
	}
}
