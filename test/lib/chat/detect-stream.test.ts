import { expect, test } from "vitest";
import { openBody } from "../../../lib/chat/detect-stream.ts";
import type { HttpResponse } from "../../../lib/http/types.ts";
import { scriptedHttp } from "../../support/scripted-http.ts";

const respond = (type: string, ...parts: readonly string[]): Promise<HttpResponse> =>
	scriptedHttp({
		status: 200,
		headers: type === "" ? {} : { "content-type": type },
		chunks: parts.map((part) => new TextEncoder().encode(part)),
	}).request({ path: "/" });

test.each<[string, string[], boolean]>([
	["text/event-stream; charset=utf-8", ["{}"], true],
	["Text/Event-Stream", [], true],
	["application/json", ['{"id":1}'], false],
	["application/json", ["data: {}\n\n"], true],
	["text/plain", [": ping\n\n"], true],
	["text/plain", ["\n\nevent: x\n"], true],
	["", ["da", "ta: {}\n\n"], true],
	["text/html", ["<!doctype html>"], false],
	["text/plain", ["database is down"], false],
	["", [], false],
])("%j with %j is a stream: %s", async (type, parts, isStream) => {
	const opened = await openBody(await respond(type, ...parts));
	expect(opened.isStream).toBe(isStream);
	const seen: string[] = [];
	for await (const part of opened.response.body) seen.push(new TextDecoder().decode(part));
	expect(seen).toEqual(parts);
});
