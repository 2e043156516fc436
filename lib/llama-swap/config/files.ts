/** A file of a config. */
export interface ConfigFile {
	/** Within its folder; empty for the only file of a config that is no folder. */
	readonly name: string;
	readonly text: string;
}

/** A file, and where its text begins in the text of all of them. */
export interface ConfigPart extends ConfigFile {
	readonly start: number;
}

/** Begins the line with a file's name. YAML does not allow this character, so no file can hold it. */
const MARK = "\u001c";

/**
 * The files of a folder (`llama-swap -config-dir`) as one text, so that a config is one text whatever
 * it is kept in: places in it are offsets, and an edit of it is an edit of one of its files.
 */
export function joinFiles(files: readonly ConfigFile[]): string {
	return files.map(({ name, text }) => `${MARK}${name}\n${text}`).join("\n");
}

/** The files again. A text that is no folder's is one file without a name. */
export function partsOf(config: string): readonly ConfigPart[] {
	if (!isFolder(config)) return [{ name: "", text: config, start: 0 }];
	const parts: ConfigPart[] = [];
	for (let at = 0; at >= 0; ) {
		const start = config.indexOf("\n", at) + 1;
		const next = config.indexOf(`\n${MARK}`, start - 1);
		const name = config.slice(at + MARK.length, start - 1);
		parts.push({ name, text: config.slice(start, next < 0 ? undefined : next), start });
		at = next < 0 ? -1 : next + 1;
	}
	return parts;
}

export function isFolder(config: string): boolean {
	return config.startsWith(MARK);
}

/** A line of the whole text, counted from 1, as a person would name it: "3", "3 of 10-base.yaml". */
export function lineInFile(config: string, line: number): string {
	const mark = config.split("\n", line).findLastIndex((text) => text.startsWith(MARK));
	if (mark < 0) return String(line);
	const name = config
		.split("\n", mark + 1)
		.at(-1)
		?.slice(MARK.length);
	return `${line - mark - 1} of ${name}`;
}

/** The text for people: each file below a comment with its name. */
export function withFileNames(config: string): string {
	return config.replaceAll(MARK, "# ");
}
