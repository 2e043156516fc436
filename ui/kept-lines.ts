import type { Component } from "@earendil-works/pi-tui";

/**
 * A component whose lines are drawn once for a width: pi asks for them on every frame, and reuses a
 * frame as long as it gets the same array.
 */
export function keepLines(draw: (width: number) => string[]): Component {
	let kept: { readonly width: number; readonly lines: string[] } | undefined;
	return {
		render(width) {
			if (kept?.width !== width) kept = { width, lines: draw(width) };
			return kept.lines;
		},
		invalidate() {
			kept = undefined;
		},
	};
}
