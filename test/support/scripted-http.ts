import type { Http, HttpRequest } from "../../lib/http/types.ts";

/** An answer as a server would send it; `chunks` are the pieces in which its body arrives. */
export interface ScriptedAnswer {
	readonly status: number;
	readonly headers: Readonly<Record<string, string>>;
	readonly chunks: readonly Uint8Array[];
}

export interface ScriptedHttp extends Http {
	readonly requests: readonly HttpRequest[];
}

/** Gives the answers in order, and the last one again after that. */
export function scriptedHttp(...answers: readonly ScriptedAnswer[]): ScriptedHttp {
	const requests: HttpRequest[] = [];
	return {
		requests,
		async request(request) {
			requests.push(request);
			const answer = answers[requests.length - 1] ?? answers.at(-1);
			if (answer === undefined) throw new Error("nothing is scripted");
			const { status, headers, chunks } = answer;
			let destroyed = false;
			const body = {
				destroy() {
					destroyed = true;
				},
				async *[Symbol.asyncIterator]() {
					for (const chunk of chunks) if (!destroyed) yield chunk;
				},
			};
			return { status, headers, body };
		},
		close: async () => undefined,
	};
}

/** The same bytes in pieces; `cuts` are positions. */
export function cutAt(bytes: Uint8Array, cuts: readonly number[]): readonly Uint8Array[] {
	const edges = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
	return edges.slice(1).map((end, at) => bytes.subarray(edges[at], end));
}

/** A repeatable source of numbers from 0 to 1 (mulberry32). */
export function seeded(seed: number): () => number {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
	};
}
