import type { Context, Message } from "@earendil-works/pi-ai";
import { expect, test } from "vitest";
import type { ChatMessage, ChatPart } from "../../lib/chat/request.ts";
import { createConverter } from "../../messages.ts";
import { rounds } from "../support/rounds.ts";
import { seeded } from "../support/scripted-http.ts";
import {
	assistant,
	call,
	image,
	result,
	SEES,
	text,
	thought,
	user,
} from "../support/transcripts.ts";

type Turn = (at: number) => readonly unknown[];

/** Turns of all kinds that pi keeps in a transcript. */
const TURNS: readonly Turn[] = [
	(at) => [user(`question ${at}`), assistant([text(`answer ${at}`)])],
	(at) => [user([text(`look ${at}`), image]), assistant([text("seen")])],
	(at) => [user(`failed ${at}`), assistant([text("half")], { stopReason: "error" })],
	(at) => [user(`aborted ${at}`), assistant([], { stopReason: "aborted" })],
	(at) => [user(`thought ${at}`), assistant([thought("reasoning_content")])],
	(at) => [user(`empty ${at}`), assistant([])],
	(at) => [user(`two answers ${at}`), assistant([text("one")]), assistant([text("two")])],
	(at) => [user(`call ${at}`), assistant([call(`c${at}`)]), result(`c${at}`, [text("x")])],
	(at) => [user(`picture ${at}`), assistant([call(`p${at}`)]), result(`p${at}`, [image])],
	(at) => [
		user(`lost ${at}`),
		assistant([call(`l${at}`)], { stopReason: "aborted" }),
		result(`l${at}`, [text("x")]),
	],
	(at) => [
		user(`nameless ${at}`),
		assistant([call(`n${at}`, {}, "")]),
		result(`n${at}`, [text("x")]),
	],
	() => [user([])],
];

const partsOf = ({ content }: ChatMessage): readonly ChatPart[] =>
	typeof content === "string" ? [{ type: "text", text: content }] : content;

/** A last message of the user may have grown; everything before is the same byte for byte. */
function continues(before: readonly ChatMessage[], after: readonly ChatMessage[]): boolean {
	const same = JSON.stringify(after.slice(0, before.length)) === JSON.stringify(before);
	const last = before.at(-1);
	const grown = after[before.length - 1];
	if (same || last === undefined || grown === undefined) return same;
	const head = JSON.stringify(before.slice(0, -1));
	if (JSON.stringify(after.slice(0, before.length - 1)) !== head) return false;
	if (last.role !== grown.role) return false;
	const [old, now] = [partsOf(last), partsOf(grown)];
	return old.every((part, at) => {
		const next = now[at];
		if (part.type !== "text" || next?.type !== "text")
			return JSON.stringify(part) === JSON.stringify(next);
		return at === old.length - 1 ? next.text.startsWith(part.text) : next.text === part.text;
	});
}

test("whatever turns follow each other: roles alternate, and each request continues the last one", () => {
	for (let round = 0; round < rounds(40); round += 1) {
		const random = seeded(round);
		const converter = createConverter();
		const make = (messages: readonly unknown[]): readonly ChatMessage[] =>
			converter.request(SEES, { messages: messages as Message[] } as Context).messages;
		let transcript: readonly unknown[] = [];
		let before: readonly ChatMessage[] = [];
		for (let at = 0; at < 12; at += 1) {
			const turn = TURNS[Math.floor(random() * TURNS.length)]?.(at) ?? [];
			transcript = [...transcript, ...turn];
			const after = make([...transcript, user(`next ${at}`)]);
			const roles = after.map(({ role }) => role);
			const twice = roles.findIndex((role, index) => role !== "tool" && role === roles[index + 1]);
			expect(twice, `${round}: ${roles.join()}`).toBe(-1);
			const now = make(transcript);
			expect(continues(before, now), `${round}: ${JSON.stringify([before, now])}`).toBe(true);
			before = now;
		}
	}
});
