import { expect, test } from "vitest";
import { CUT_SEED, everyCut, linesOf } from "../support/chat.ts";
import {
	bytes,
	CUT_OFF,
	callDelta,
	calling,
	checked,
	DONE,
	delta,
	fault,
	frame,
	HEAD,
	loading,
	STOP,
	sse,
} from "../support/chat-stream.ts";
import { scriptedHttp } from "../support/scripted-http.ts";

interface Scene {
	readonly name: string;
	readonly body: string;
	readonly lines: readonly string[];
	/** How the whole ends, where it is an error. */
	readonly error?: string;
}

const textLines = (...deltas: readonly string[]): readonly string[] => [
	"start",
	"text_start 0",
	...deltas.map((part) => `text_delta 0 ${part}`),
	`text_end 0 ${deltas.join("")}`,
];
const callEnd = (at: number, id: string, name: string, args: object): string =>
	`toolcall_end ${at} ${JSON.stringify({ type: "toolCall", id, name, arguments: args })}`;

const RULE = "━━━━━";

const SCENES: readonly Scene[] = [
	{
		name: "text of several bytes a character",
		body: delta({ content: "é━" }) + delta({ content: "🎉" }) + STOP,
		lines: [...textLines("é━", "🎉"), "done stop"],
	},
	{
		name: "CRLF, comments, no blank behind the colon, a byte order mark",
		body: `\ufeff: ping\r\n\r\n${(delta({ content: "a" }) + delta({ content: "b" }) + STOP)
			.replaceAll("data: ", "data:")
			.replaceAll("\n", "\r\n")}`,
		lines: [...textLines("a", "b"), "done stop"],
	},
	{
		name: "thinking and text that alternate, first both in one chunk",
		body:
			delta({ content: "t1", reasoning: "r1" }) +
			delta({ reasoning: "r2" }) +
			delta({ content: "t2" }) +
			STOP,
		lines: [
			"start",
			"thinking_start 0",
			"thinking_delta 0 r1",
			"text_start 1",
			"text_delta 1 t1",
			"thinking_delta 0 r2",
			"text_delta 1 t2",
			"thinking_end 0 r1r2",
			"text_end 1 t1t2",
			"done stop",
		],
	},
	{
		name: "events that are no objects, chunks without choices, empty deltas",
		body: `data: 1\n\ndata: null\n\n${frame({ ...HEAD })}${frame({ ...HEAD, choices: null })}${delta(
			{
				content: "",
			},
		)}${delta({ content: "a" })}${STOP}`,
		lines: [...textLines("a"), "done stop"],
	},
	{
		name: "text behind the finish, and a last event without its end",
		body: `${delta({ content: "a" }, "length")}${delta({ content: "b" })}`.trimEnd(),
		lines: [...textLines("a", "b"), "done length"],
	},
	{
		name: "more behind [DONE]",
		body: `${delta({ content: "a" })}${STOP}${delta({ content: "b" })}data: {nope\n\n`,
		lines: [...textLines("a"), "done stop"],
	},
	{
		name: "text and two parallel calls in pieces",
		body:
			delta({ content: "so" }) +
			calling(0, "a", "f", "") +
			callDelta({ index: 0, function: { arguments: '{"x":"é' } }) +
			calling(1, "b", "g", '{"y":') +
			callDelta({ index: 0, function: { arguments: '"}' } }) +
			callDelta({ index: 1, function: { arguments: "2}" } }) +
			delta({}, "tool_calls") +
			DONE,
		lines: [
			"start",
			"text_start 0",
			"text_delta 0 so",
			"toolcall_start 1",
			"toolcall_delta 1 ",
			'toolcall_delta 1 {"x":"é',
			"toolcall_start 2",
			'toolcall_delta 2 {"y":',
			'toolcall_delta 1 "}',
			"toolcall_delta 2 2}",
			"text_end 0 so",
			callEnd(1, "a", "f", { x: "é" }),
			callEnd(2, "b", "g", { y: 2 }),
			"done toolUse",
		],
	},
	{
		name: "a call without an id",
		body: calling(0, "", "f", "{}") + STOP,
		lines: [
			"start",
			"toolcall_start 0",
			"toolcall_delta 0 {}",
			callEnd(0, "call_*", "f", {}),
			"done toolUse",
		],
	},
	{
		name: "a name that comes late",
		body: calling(0, "a", "", "{") + calling(0, "", "f", "}") + STOP,
		lines: [
			"start",
			"toolcall_start 0",
			"toolcall_delta 0 {",
			"toolcall_delta 0 }",
			callEnd(0, "a", "f", {}),
			"done toolUse",
		],
	},
	{
		name: "the next call on the same index",
		body: calling(0, "a", "f", "{}") + calling(0, "b", "f", { z: "é" }) + STOP,
		lines: [
			"start",
			"toolcall_start 0",
			"toolcall_delta 0 {}",
			"toolcall_start 1",
			'toolcall_delta 1 {"z":"é"}',
			callEnd(0, "a", "f", {}),
			callEnd(1, "b", "f", { z: "é" }),
			"done toolUse",
		],
	},
	{
		name: "arguments that the limit cut off",
		body: calling(0, "a", "f", '{"x":"half') + delta({}, "length") + DONE,
		lines: [
			"start",
			"toolcall_start 0",
			'toolcall_delta 0 {"x":"half',
			`toolcall_end 0 ${JSON.stringify({
				type: "toolCall",
				id: "a",
				name: "f",
				arguments: {},
				argumentsError: 'The arguments are not a JSON object: {"x":"half',
			})}`,
			"done length",
		],
	},
	{
		name: "loading frames, then the answer",
		body:
			loading(RULE) +
			loading("llama-swap") +
			loading(" ") +
			delta({ reasoning_content: "r" }) +
			STOP,
		lines: ["start", "thinking_start 0", "thinking_delta 0 r", "thinking_end 0 r", "done stop"],
	},
	{
		name: "loading frames, then bare JSON",
		body: `${loading(RULE)}{"src":"llama-swap","error":"unspecific error: é"}`,
		lines: ["start"],
		error: "Server error: é",
	},
	{
		name: "bare JSON with a frame behind it on the same line",
		body: `${loading(RULE)}{"src":"llama-swap","error":"boom"}${loading("Done!")}`,
		lines: ["start"],
		error: "Server error: boom",
	},
	{
		name: "loading frames, then bare text",
		body: `${loading(RULE)}upstream is gone\n`,
		lines: ["start"],
		error: "Server error: upstream is gone",
	},
	{
		name: "an old error line in mid-stream",
		body: `${delta({ content: "a" })}error: ${fault("slot crashed")}\n\n`,
		lines: textLines("a"),
		error: "500: slot crashed",
	},
	{
		name: "an error frame whose error is a string",
		body: delta({ content: "a" }) + frame({ error: "words" }) + STOP,
		lines: textLines("a"),
		error: "Server error: words",
	},
	{
		name: "an event named error",
		body: `${delta({ content: "a" })}event: error\ndata: plain words\n\n`,
		lines: textLines("a"),
		error: "Server error: plain words",
	},
	{
		name: "an event named error whose type says so too",
		body: `${delta({ content: "a" })}event: error\ndata: {"type":"error","message":"words"}\n\n`,
		lines: textLines("a"),
		error: "Server error: words",
	},
	{
		name: "an end in the middle of an event",
		body: delta({ content: "a" }) + delta({ content: "b" }).slice(0, -9),
		lines: textLines("a"),
		error: CUT_OFF,
	},
	{
		name: "an end without a finish",
		body: delta({ content: "a" }),
		lines: textLines("a"),
		error: CUT_OFF,
	},
	{ name: "nothing but pings", body: ": ping\n\n: ping\n\n", lines: ["start"], error: CUT_OFF },
];

test.each(SCENES.map((scene) => [scene.name, scene] as const))(
	"the same events however it is cut: %s",
	async (_name, { body, lines, error }) => {
		for (const chunks of everyCut(bytes(body))) {
			const http = scriptedHttp({ ...sse(), chunks });
			const { events, broken } = await checked(http);
			const got = linesOf(events);
			const words = `seed ${CUT_SEED}, ${chunks.length} pieces`;
			expect(broken, words).toEqual([]);
			if (error === undefined) expect(got, words).toEqual(lines);
			else {
				expect(got.slice(0, -1), words).toEqual(lines);
				expect(got.at(-1)?.startsWith(`error error: ${error}`), `${words}: ${got.at(-1)}`).toBe(
					true,
				);
			}
		}
	},
);
