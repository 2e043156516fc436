import { expect, test } from "vitest";
import { keepLines } from "../../ui/kept-lines.ts";

test("lines are drawn once for a width, and again after a change of theme", () => {
	const widths: number[] = [];
	const component = keepLines((width) => {
		widths.push(width);
		return [`at ${width}`];
	});
	const first = component.render(80);
	expect(component.render(80)).toBe(first);
	expect(component.render(40)).toEqual(["at 40"]);
	expect(component.render(80)).toEqual(["at 80"]);
	const before = component.render(80);
	component.invalidate();
	expect(component.render(80)).not.toBe(before);
	expect(widths).toEqual([80, 40, 80, 80]);
});
