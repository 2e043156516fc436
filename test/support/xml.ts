export interface XmlElement {
	readonly name: string;
	readonly attributes: Readonly<Record<string, string>>;
	/** Directly in it, entities resolved. */
	readonly text: string;
}

const TOKEN = /<(\/?)([a-z][\w:-]*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>|([^<]+)|[\s\S]/gi;
const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"' };

/**
 * The elements of an XML document in the order they begin. Knows elements, attributes, text and the
 * named entities; throws for anything else, so for all that is not well-formed.
 */
export function elementsOf(xml: string): readonly XmlElement[] {
	const all: { name: string; attributes: Record<string, string>; text: string }[] = [];
	const open: typeof all = [];
	for (const match of xml.trim().matchAll(TOKEN)) {
		const [whole, close, name, attributes = "", empty, text] = match;
		const inner = open.at(-1);
		if (text !== undefined && inner !== undefined) inner.text += resolve(text);
		else if (name === undefined || (inner === undefined && all.length > 0)) {
			throw new Error(`Not well-formed at ${match.index}: ${whole}`);
		} else if (close === "/") {
			if (inner?.name !== name) throw new Error(`</${name}> at ${match.index} closes nothing`);
			open.pop();
		} else {
			const element = { name, attributes: readAttributes(attributes), text: "" };
			all.push(element);
			if (empty === "") open.push(element);
		}
	}
	if (open.length > 0) throw new Error(`<${open.at(-1)?.name}> is never closed`);
	return all;
}

function readAttributes(text: string): Record<string, string> {
	const attributes: Record<string, string> = {};
	for (const [, name = "", value = ""] of text.matchAll(/([\w:-]+)="([^"]*)"/g)) {
		if (name in attributes) throw new Error(`${name} is there twice`);
		attributes[name] = resolve(value);
	}
	return attributes;
}

function resolve(text: string): string {
	return text.replace(/&(?:(\w+);)?/g, (whole, name: string | undefined) => {
		const character = ENTITIES[name ?? ""];
		if (character === undefined) throw new Error(`${whole} is no entity`);
		return character;
	});
}
