import { secretsInText } from "./find.ts";

export interface Span {
	readonly start: number;
	readonly end: number;
}

/** A text for people, such as an error of the server that quotes a command, with "***" for secrets. */
export function maskText(text: string): string {
	if (!/[=:]|\s-/.test(text)) return text;
	const spans = secretsInText(text, { isProse: true }).flatMap(({ places }) => {
		const [start, last] = [places[0], places.at(-1)];
		return start === undefined || last === undefined ? [] : [{ start, end: last + 1 }];
	});
	return covered(text, spans);
}

/** A text with "***" in place of these parts. Every line stays a line of its own. */
export function covered(text: string, spans: readonly Span[]): string {
	let shown = "";
	let from = 0;
	for (const { start, end } of united(spans)) {
		shown += text.slice(from, start) + text.slice(start, end).replace(/\S(?:[^\r\n]*\S)?/g, "***");
		from = end;
	}
	return shown + text.slice(from);
}

function united(spans: readonly Span[]): readonly Span[] {
	const all: Span[] = [];
	for (const span of spans.toSorted((a, b) => a.start - b.start)) {
		const last = all.at(-1);
		if (last === undefined || span.start >= last.end) all.push(span);
		else if (span.end > last.end) all.splice(-1, 1, { start: last.start, end: span.end });
	}
	return all;
}
