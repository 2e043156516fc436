import { expect, test } from "vitest";
import {
	factsOf,
	fingerprintOf,
	isServerAsked,
	type Probed,
	parseProbed,
	probedServer,
	stillTrue,
	toKept,
} from "../../discovery/probed.ts";

const FACTS = { contextWindow: 4096, images: true, tools: false, thinking: undefined };
const CMD = "llama-server -c 4096 --port 5801";
const SERVER = probedServer(fingerprintOf(CMD), FACTS);

test("what came of a question decides whether it is asked again", () => {
	const silent = probedServer("x");
	expect([SERVER, silent].map(({ kind }) => kind)).toEqual(["server", "silent-server"]);
	expect(probedServer("x", { contextWindow: undefined }).kind).toBe("silent-server");
	expect([SERVER, silent, undefined].map(isServerAsked)).toEqual([true, true, false]);
	expect([factsOf(SERVER), factsOf(silent), factsOf(undefined)]).toEqual([FACTS, {}, {}]);
});

test.each<[string, string | undefined, Probed | undefined]>([
	["the same command", CMD, SERVER],
	["another port", CMD.replace("5801", "5802"), SERVER],
	["another form of the port", "llama-server -c 4096 --port=1", SERVER],
	["another size", CMD.replace("4096", "8192"), undefined],
	["a command that is not shown", undefined, SERVER],
])("with %s it is still true, or not", (_name, cmd, expected) => {
	expect(stillTrue(SERVER, cmd)).toBe(expected);
});

test("answers are kept; what was not answered may be asked again after a start", () => {
	const probed = [SERVER, probedServer("x")];
	const kept = JSON.parse(JSON.stringify(probed.map((entry, at) => [`m${at}`, toKept(entry)])));
	expect([...parseProbed(kept)]).toEqual([["m0", SERVER]]);
});

test.each<[string, unknown, readonly unknown[]]>([
	["nothing", undefined, []],
	["no list", { m: {} }, []],
	["no pairs", ["m", 5, null, []], []],
	["no command", [["m", { contextWindow: 4096 }]], []],
	["nothing known", [["m", { fingerprint: "f" }]], []],
	["an impossible size", [["m", { fingerprint: "f", contextWindow: -1, trained: "many" }]], []],
	["a broken template", [["m", { fingerprint: "f", thinking: { thinks: 1 } }]], []],
	[
		"one usable field",
		[["m", { fingerprint: "f", contextWindow: "x", images: true }]],
		[["m", { kind: "server", fingerprint: "f", facts: { images: true } }]],
	],
])("a kept form with %s", (_name, kept, expected) => {
	expect([...parseProbed(kept)]).toEqual(expected);
});
