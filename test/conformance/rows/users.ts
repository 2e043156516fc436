import type { Row } from "../runner/scenario.ts";
import { SAYS_OK } from "../runner/wire.ts";
import { assistant, image, replies, SEES, says, user } from "./history.ts";

/** A.2: user messages. */
export const USERS: readonly Row[] = [
	{
		name: "A.2 a string, and an empty one",
		messages: [user("Hi"), assistant([says("Yes?")]), user("")],
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"Yes?"}',
				'{"role":"user","content":""}',
			],
		},
	},
	{
		name: "A.2 one text part",
		messages: [user([says("Hi")])],
		replies,
		ours: {
			...SAYS_OK,
			body: ['{"role":"user","content":"Hi"}'],
		},
		better: "text alone is one string, which every server and template takes",
		newest: { body: ['{"role":"user","content":[{"type":"text","text":"Hi"}]}'] },
	},
	{
		name: "A.2 text parts, the empty one dropped",
		messages: [user([says("a"), says(""), says("b")])],
		replies,
		ours: {
			...SAYS_OK,
			body: ['{"role":"user","content":"a\\nb"}'],
		},
		better: "text alone is one string, as llama-server would join it",
		newest: {
			body: ['{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}'],
		},
	},
	{
		name: "A.2 parts with nothing in them drop the message",
		messages: [user("Hi"), assistant([says("Yes?")]), user([]), user([says("")]), user("Go")],
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"Yes?"}',
				'{"role":"user","content":"Go"}',
			],
		},
	},
	{
		name: "A.2 content that is missing",
		messages: [user("Hi"), assistant([says("Yes?")]), user(null), user("Go")],
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"Yes?"}',
				'{"role":"user","content":"Go"}',
			],
		},
		better: "a message without content does not end the session",
		newest: { events: "error error", message: "error: content is not iterable", body: [] },
	},
	{
		name: "A.2 blanks alone are kept",
		messages: [user(" \n")],
		replies,
		ours: {
			...SAYS_OK,
			body: ['{"role":"user","content":" \\n"}'],
		},
	},
	{
		name: "A.2 images for a model that sees none: one note for a run of them",
		messages: [user([says("look"), image(), image(), says("and"), image()])],
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"user","content":"look\\n(image omitted: model does not support images)\\nand\\n(image omitted: model does not support images)"}',
			],
		},
		better: "text alone is one string, as llama-server would join it",
		newest: {
			body: [
				'{"role":"user","content":[{"type":"text","text":"look"},{"type":"text","text":"(image omitted: model does not support images)"},{"type":"text","text":"and"},{"type":"text","text":"(image omitted: model does not support images)"}]}',
			],
		},
	},
	{
		name: "A.2 images for a model that sees (D stream)",
		messages: [user([says("look"), image(), image("REVG")])],
		model: SEES,
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"user","content":[{"type":"text","text":"look"},{"type":"image_url","image_url":{"url":"data:image/png;base64,QUJD"}},{"type":"image_url","image_url":{"url":"data:image/png;base64,REVG"}}]}',
			],
		},
	},
	{
		name: "A.2 an image alone",
		messages: [user([image()])],
		model: SEES,
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,QUJD"}}]}',
			],
		},
	},
];
