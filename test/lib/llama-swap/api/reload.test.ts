import { expect, test } from "vitest";
import { AiServerError } from "../../../../lib/errors.ts";
import {
	isStartFailure,
	parseSize,
	reloadMeans,
	runsWith,
} from "../../../../lib/llama-swap/api/reload.ts";

test.each([
	["v205", "signal"],
	["v250", "signal"],
	["205", "signal"],
	["v204", "restart"],
	["v94", "restart"],
	["local_a1b2c3", "restart"],
	["v250-dirty", "restart"],
	["", "restart"],
	[undefined, "restart"],
])("llama-swap %s reads its config by a %s", (version, means) => {
	expect(reloadMeans(version)).toBe(means);
});

test.each([
	["65536", 65_536],
	["64k", 65_536],
	["64K", 65_536],
	["1m", 1_048_576],
	["max", "max"],
	["0", undefined],
	["-1", undefined],
	["4k; reboot", undefined],
	["1e5", undefined],
	["9999999999", undefined],
	["64kk", undefined],
	["", undefined],
])("the size %j is %s", (text, size) => {
	expect(parseSize(text)).toBe(size);
});

test("a running model tells whether it has the size", () => {
	const running = [
		{ id: "a", state: "ready", cmd: "llama-server -c 4096" },
		{ id: "old", state: "ready", cmd: undefined },
		{ id: "script", state: "ready", cmd: "./serve.sh --ctx-size 4096" },
	] as const;
	expect(runsWith(running, "a", 4096)).toBe(true);
	expect(runsWith(running, "a", 8192)).toBe(false);
	expect(runsWith(running, "old", 4096)).toBeUndefined();
	expect(runsWith(running, "script", 4096)).toBeUndefined();
	expect(runsWith(running, "script", 8192)).toBe(false);
	expect(runsWith(running, "gone", 4096)).toBe(false);
});

test.each([
	[new AiServerError("http", "it exited", { status: 500 }), true],
	[new AiServerError("http", "it exited", { status: 502 }), true],
	[new AiServerError("http", "no such model", { status: 404 }), false],
	[new AiServerError("network", "the line broke"), false],
	[new Error("a bug"), false],
])("%s may be due to the size: %s", (error, expected) => {
	expect(isStartFailure(error)).toBe(expected);
});
