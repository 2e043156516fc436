import { expect, test } from "vitest";
import { parseProps } from "../../../lib/llama-server/props.ts";
import { readRecords } from "../../support/records.ts";

async function recorded(file: string, id: string): Promise<string> {
	const { exchanges } = await readRecords(file);
	const found = exchanges.find((exchange) => exchange.id === id);
	if (found === undefined) throw new Error(`no exchange ${id} in ${file}`);
	return found.body;
}

test.each([
	["llama-swap-v217", "upstream-props", 1024, 1],
	["llama-swap-v217", "slash-props", 1024, 2],
	["llama-swap-v225", "slash-props", 1024, 2],
	["llama-swap-v236", "slash-props", 1024, 2],
	["llama-swap-v236", "props-top", 1024, 1],
	["llama-swap-v250", "slash-props", 1024, 2],
	["llama-swap-head", "slash-props", 1024, 2],
	["llama-server", "props", 4096, 1],
	["llama-server", "sleep-props", 1024, 1],
	["llama-server", "router-props-alpha", 2048, 1],
])("%s, %s: the window of one slot", async (file, id, contextWindow, slots) => {
	expect(parseProps(await recorded(file, id))).toEqual({
		contextWindow,
		slots,
		images: false,
		chatTemplate: expect.stringMatching(/^\{%- if tools %\}[\s\S]*enable_thinking[\s\S]*%\}$/),
		tools: true,
	});
});

test("a router has no model to tell of", async () => {
	expect(parseProps(await recorded("llama-server", "router-props"))).toEqual({});
});

const settings = (n_ctx: unknown, more: object = {}): string =>
	JSON.stringify({ default_generation_settings: { n_ctx }, ...more });

test.each([
	["zero", settings(0)],
	["a negative number", settings(-1)],
	["a fraction", settings(4096.5)],
	["a text", settings("4096")],
	["an absurd number", settings(1e15)],
	["slots without end", settings(null, { total_slots: 1e9 })],
	["no slot", settings(null, { total_slots: 0 })],
	["half a slot", settings(null, { total_slots: 0.5 })],
	["a template that is none", settings(null, { chat_template: ["x"] })],
	["an empty template", settings(null, { chat_template: "" })],
	["a template without end", settings(null, { chat_template: "x".repeat(600_000) })],
	["flags that are none", settings(null, { modalities: { vision: "yes", audio: 1 } })],
	["lists instead of flags", settings(null, { modalities: [], chat_template_caps: [] })],
])("takes %s for unknown", (_name, body) => {
	expect(parseProps(body)).toEqual({});
});

test("older builds know fewer flags", () => {
	const body = settings(8192, { chat_template_caps: { supports_tools: false }, total_slots: 4 });
	expect(parseProps(body)).toEqual({ contextWindow: 8192, slots: 4, tools: false });
});

test.each([
	["", "nothing"],
	["[]", '"[]"'],
	['{"error":{"message":"Loading model"}}', "Loading model"],
	['{"method":"GET","path":"/props"}', "method"],
	['{"default_generation_settings":4096}', "default_generation_settings"],
])("refuses %j and quotes it", (body, quoted) => {
	expect(() => parseProps(body)).toThrow(quoted);
	expect(() => parseProps(body)).toThrow("llama-server");
});
