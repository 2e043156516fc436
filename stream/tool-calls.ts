import { randomUUID } from "node:crypto";
import type { ToolCall } from "@earendil-works/pi-ai";
import {
	type ArgumentsReader,
	createArgumentsReader,
	finishArguments,
} from "../lib/chat/arguments.ts";
import type { CallDelta } from "../lib/chat/chunk.ts";

/** A tool call while it arrives. */
export interface OpenCall {
	readonly block: ToolCall;
	/** Its place in the content of the message. */
	readonly contentIndex: number;
	readonly reader: ArgumentsReader;
	/** False while the id is a generated one. */
	hasId: boolean;
}

/** The tool calls of one message, in the order in which they began. */
export class ToolCalls {
	private readonly calls: OpenCall[] = [];
	private readonly byIndex = new Map<number, OpenCall>();

	get isEmpty(): boolean {
		return this.calls.length === 0;
	}

	/** Characters of all arguments. */
	get length(): number {
		return this.calls.reduce((sum, { reader }) => sum + reader.text().length, 0);
	}

	/** The call that a delta continues; undefined when it begins another one. */
	find({ index, id, name }: CallDelta): OpenCall | undefined {
		if (index === undefined) {
			const same = this.calls.find(({ block }) => id !== "" && block.id === id);
			return same ?? (id === "" && name === "" ? this.calls.at(-1) : undefined);
		}
		const known = this.byIndex.get(index);
		// A new id and a name on an index that is taken: the server reuses it for the next call.
		const isNext = known !== undefined && id !== "" && name !== "" && id !== known.block.id;
		return isNext ? undefined : known;
	}

	open({ index, id, name }: CallDelta, contentIndex: number): OpenCall {
		const reader = createArgumentsReader();
		const call: OpenCall = {
			block: {
				type: "toolCall",
				id: id === "" ? `call_${randomUUID().replaceAll("-", "").slice(0, 24)}` : id,
				name,
				// What pi shows while arguments arrive is the reader's own live object.
				arguments: reader.value as ToolCall["arguments"],
			},
			contentIndex,
			reader,
			hasId: id !== "",
		};
		this.calls.push(call);
		if (index !== undefined) this.byIndex.set(index, call);
		return call;
	}

	at(contentIndex: number): OpenCall | undefined {
		return this.calls.find((call) => call.contentIndex === contentIndex);
	}
}

export function addDelta(call: OpenCall, { id, name, arguments: text }: CallDelta): void {
	const { block } = call;
	if (block.name === "") block.name = name;
	if (!call.hasId && id !== "") {
		block.id = id;
		call.hasId = true;
	}
	call.reader.push(text);
}

/**
 * Gives a call its final arguments; an error in them is reported to the model, and the tool does not
 * run. pi never runs the calls of a turn that broke off, so those keep what has arrived.
 */
export function closeCall({ block, reader }: OpenCall, isComplete: boolean): void {
	const finished = finishArguments(reader.text());
	if ("value" in finished) {
		block.arguments = finished.value as ToolCall["arguments"];
		return;
	}
	if (isComplete) block.arguments = {};
	block.argumentsError = finished.error;
}
