import { expect, test } from "vitest";
import type { ChatMessage } from "../../lib/chat/request.ts";
import { addMessage } from "../../messages/merge.ts";
import { calls, tool, url } from "../support/transcripts.ts";

const merged = (...messages: unknown[]): readonly ChatMessage[] => {
	const out: ChatMessage[] = [];
	for (const message of messages as ChatMessage[]) addMessage(out, message);
	return out;
};
const user = (content: unknown): unknown => ({ role: "user", content });
const assistant = (content: string, more: object = {}): unknown => ({
	role: "assistant",
	content,
	...more,
});
const part = (text: string): unknown => ({ type: "text", text });

test.each<[string, unknown[], unknown[]]>([
	["texts, with a blank line between", [user("a"), user("b"), user("c")], [user("a\n\nb\n\nc")]],
	["an empty one leaves no blank line", [user(""), user("b"), user("")], [user("b")]],
	["a text, then parts", [user("a"), user([part("b"), url])], [user([part("a"), part("b"), url])]],
	["parts, then a text", [user([url]), user("b")], [user([url, part("b")])]],
	["answers", [assistant("a"), assistant("b")], [assistant("a\n\nb")]],
	[
		"calls behind an answer",
		[assistant("a"), assistant("", { tool_calls: calls("c1") }), tool("c1", "x")],
		[assistant("a", { tool_calls: calls("c1") }), tool("c1", "x")],
	],
	[
		"thoughts in two fields",
		[assistant("a", { reasoning: "x" }), assistant("b", { reasoning_content: "y" })],
		[assistant("a\n\nb", { reasoning_content: "x\ny" })],
	],
	["results stay apart", [tool("a", "x"), tool("b", "y")], [tool("a", "x"), tool("b", "y")]],
	[
		"other roles stay apart",
		[user("a"), assistant("b"), user("c")],
		[user("a"), assistant("b"), user("c")],
	],
])("%s", (_name, messages, expected) => {
	expect(merged(...messages)).toEqual(expected);
});
