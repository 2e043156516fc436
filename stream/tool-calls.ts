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
	/** True when its name came once more after its arguments were complete. */
	isNamedAgain: boolean;
}

/** The tool calls of one message, in the order in which they began. */
export class ToolCalls {
	private readonly calls: OpenCall[] = [];
	private readonly byIndex = new Map<number, OpenCall>();
	private readonly byId = new Map<string, OpenCall>();

	get isEmpty(): boolean {
		return this.calls.length === 0;
	}

	/** Whether a call without a name is among them, which cannot be run. */
	get isNameless(): boolean {
		return this.calls.some(({ block }) => block.name === "");
	}

	/** Characters of all arguments. */
	get length(): number {
		return this.calls.reduce((sum, { reader }) => sum + reader.text().length, 0);
	}

	/** The call that a delta continues; undefined when it begins another one. */
	find(delta: CallDelta): OpenCall | undefined {
		const { index, id, name } = delta;
		// A server may send one call at two indexes, so a known id decides first.
		const same = id === "" ? undefined : this.byId.get(id);
		if (same !== undefined) return this.continued(same, delta);
		if (index === undefined) return id === "" && name === "" ? this.calls.at(-1) : undefined;
		const known = this.byIndex.get(index);
		if (known === undefined) return undefined;
		// A new id and a name on an index that is taken: the server reuses it for the next call.
		const isNext = id !== "" && name !== "" && known.hasId;
		return isNext ? undefined : this.continued(known, delta);
	}

	/** Opens a call that has a name, or at least a beginning of its arguments. */
	open({ index, id, name }: CallDelta, contentIndex: number): OpenCall {
		const reader = createArgumentsReader();
		const isNew = id !== "" && !this.byId.has(id);
		// A call that a server begins on another one's index without a name is one of the same tool.
		const before = index === undefined ? undefined : this.byIndex.get(index);
		const call: OpenCall = {
			block: {
				type: "toolCall",
				id: isNew ? id : `call_${randomUUID().replaceAll("-", "").slice(0, 24)}`,
				name: name === "" && before?.isNamedAgain === true ? before.block.name : name,
				// What pi shows while arguments arrive is the reader's own live object.
				arguments: reader.value as ToolCall["arguments"],
			},
			contentIndex,
			reader,
			hasId: isNew,
			isNamedAgain: false,
		};
		this.calls.push(call);
		if (index !== undefined) this.byIndex.set(index, call);
		if (isNew) this.byId.set(id, call);
		return call;
	}

	/** Adds what a delta holds to the call that it continues. */
	add(call: OpenCall, { index, id, name, arguments: text }: CallDelta): void {
		const { block } = call;
		if (block.name === "") block.name = name;
		else if (name !== "" && call.reader.isComplete()) call.isNamedAgain = true;
		if (!call.hasId && id !== "") {
			block.id = id;
			call.hasId = true;
			this.byId.set(id, call);
		}
		if (index !== undefined && !this.byIndex.has(index)) this.byIndex.set(index, call);
		call.reader.push(text);
	}

	/** The call itself, unless it is over: what a name and further arguments follow is the next one. */
	private continued(call: OpenCall, { name, arguments: text }: CallDelta): OpenCall | undefined {
		const isOver =
			call.reader.isComplete() || (call.reader.text() === "" && name !== "" && !call.hasId);
		if (!isOver || call.block.name === "") return call;
		if (name !== "" && name !== call.block.name) return undefined;
		const isNamed = name !== "" || call.isNamedAgain;
		return isNamed && call.reader.isComplete() && text.trim() !== "" ? undefined : call;
	}

	at(contentIndex: number): OpenCall | undefined {
		return this.calls.find((call) => call.contentIndex === contentIndex);
	}
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
