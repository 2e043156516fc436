import type { HttpBody, HttpResponse } from "../http/types.ts";

const FIELDS = ["data:", "event:", "id:", "retry:", ":"];

/** The body of an answer from its start, and whether it is a stream of events. */
export interface Opened {
	readonly isStream: boolean;
	readonly response: HttpResponse;
}

/** A proxy may write another type over the right one, so a body of another type is looked into. */
export async function openBody(response: HttpResponse): Promise<Opened> {
	if (/event-stream/i.test(response.headers["content-type"] ?? "")) {
		return { isStream: true, response };
	}
	const parts = response.body[Symbol.asyncIterator]();
	const first = await parts.next();
	const body: HttpBody = {
		destroy: () => response.body.destroy(),
		async *[Symbol.asyncIterator]() {
			if (first.done === true) return;
			yield first.value;
			yield* { [Symbol.asyncIterator]: () => parts };
		},
	};
	const head = first.done === true ? "" : new TextDecoder().decode(first.value).trimStart();
	const begins = FIELDS.some((field) => field.startsWith(head) || head.startsWith(field));
	return { isStream: head !== "" && begins, response: { ...response, body } };
}
