import { expect, test } from "vitest";
import { parseModelList, parseRunning } from "../../../lib/llama-swap/model-list.ts";

test("reads the list of llama-swap", () => {
	const body = JSON.stringify({
		object: "list",
		data: [
			{ id: "a", object: "model", name: "\u001b[1mA", capabilities: { vision: true } },
			{ id: "b", architecture: { input_modalities: ["text", "image"] } },
			{ id: "c", name: "", capabilities: { vision: "yes" } },
			{ object: "model" },
			{ id: "\u001b[2Jevil" },
			null,
			{ id: 7 },
		],
	});
	expect(parseModelList(body)).toEqual([
		{ id: "a", name: "A", images: true },
		{ id: "b", name: undefined, images: true },
		{ id: "c", name: undefined, images: false },
	]);
});

test("reads a bare array and an empty list", () => {
	expect(parseModelList('[{"id":"a"}]')).toEqual([{ id: "a", name: undefined, images: false }]);
	expect(parseModelList('{"data":[]}')).toEqual([]);
});

test("reads the running models of every era", () => {
	const body = JSON.stringify({
		running: [
			{ model: "new", state: "starting", cmd: "llama-server -c 1", proxy: "http://x" },
			{ model: "old", state: "ready" },
			{ id: "odd", state: "loading" },
			{ state: "ready" },
		],
	});
	expect(parseRunning(body)).toEqual([
		{ id: "new", state: "starting", cmd: "llama-server -c 1" },
		{ id: "old", state: "ready", cmd: undefined },
		{ id: "odd", state: "ready", cmd: undefined },
	]);
});

test.each([
	["", "nothing"],
	["<html><body>Sign in</body></html>", '"<html>'],
	['{"error":"x"}', '"{'],
	["null", '"null"'],
	["404 page not found", '"404 page not found"'],
	["\u001b[2Jgone", '"gone"'],
])("refuses %j and quotes it", (body, quoted) => {
	expect(() => parseModelList(body)).toThrow(quoted);
	expect(() => parseRunning(body)).toThrow(quoted);
});
