import { expect, test } from "vitest";
import { dialectOf, EXTENSIONS, fieldsOf } from "../../../lib/chat/dialect.ts";

const ALL = Object.fromEntries([...EXTENSIONS, "reasoning_effort"].map((name) => [name, 1]));

test.each<[string | undefined, string | undefined, readonly string[]]>([
	[undefined, undefined, Object.keys(ALL)],
	["llama-server", undefined, Object.keys(ALL)],
	["a program of the future", undefined, Object.keys(ALL)],
	["vllm", undefined, ["chat_template_kwargs", "reasoning_effort"]],
	["ollama", undefined, ["reasoning_effort"]],
	["llama-server", "cloud", ["reasoning_effort"]],
])("what %s behind the peer %s takes", (server, peer, expected) => {
	expect(Object.keys(fieldsOf(dialectOf(server, peer), ALL))).toEqual(expected);
});
