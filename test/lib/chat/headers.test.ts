import { expect, test } from "vitest";
import { mergeHeaders } from "../../../lib/chat/headers.ts";

test("a later set wins whatever the case of its names, and null removes a header", () => {
	const own = { Accept: "text/event-stream", "X-A": "1", "x-b": "1" };
	expect(mergeHeaders(own, undefined, { accept: null, "x-a": "2" }, { "X-B": "3" })).toEqual({
		"x-a": "2",
		"x-b": "3",
	});
});

test("a header that was removed can be set again", () => {
	expect(mergeHeaders({ a: "1" }, { a: null }, { A: "2" })).toEqual({ a: "2" });
	expect(mergeHeaders()).toEqual({});
});
