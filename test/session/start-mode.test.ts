import { expect, test } from "vitest";
import { startMode } from "../../session/start-mode.ts";

const PI = ["node", "/usr/lib/pi/cli.js"];
const RPC = ["node", "/usr/lib/pi/rpc-entry.js"];

test.each([
	[[...PI], true, "live"],
	[[...PI, "-e", ".", "hello"], true, "live"],
	[[...PI], false, "print"], // without a terminal pi prints
	[[...PI, "-p", "hello"], true, "print"],
	[[...PI, "--print"], true, "print"],
	[[...PI, "--mode", "json", "hello"], true, "print"],
	[[...PI, "--mode", "json", "-p", "hello"], false, "print"],
	[[...PI, "--mode", "rpc"], false, "live"],
	[[...RPC], false, "live"],
	[[...PI, "--list-models"], false, "list"],
	[[...PI, "--list-models", "qwen"], true, "list"],
	[[...PI, "--help"], false, "live"], // lists nothing
	[["node"], true, "live"],
	[[], false, "print"],
] as const)("%j on a terminal (%s) is %s", (argv, isTerminal, mode) => {
	expect(startMode({ argv, isTerminal })).toBe(mode);
});
