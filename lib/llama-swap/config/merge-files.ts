import { isMap, isScalar, isSeq, type Pair, type Scalar, type YAMLMap } from "yaml";
import { AiServerError } from "../../errors.ts";
import { asText, scalarValue } from "./yaml-values.ts";

/** Maps whose keys name things, each of which llama-swap takes from one file only. */
const IDENTITIES: ReadonlySet<string> = new Set([
	"models",
	"groups",
	"profiles",
	"selectors",
	"peers",
	"matrix",
	"routing.router.settings.groups",
	"routing.router.settings.matrix",
]);

/** The content of one file; undefined for a file without any. */
export interface FileContent {
	readonly name: string;
	readonly root: YAMLMap | undefined;
}

/**
 * The maps of several files as one, which is the first of them, as llama-swap merges the files of a
 * folder: maps within each other, lists one behind the other, and what is set twice has to agree.
 * `onConflict` is called for what llama-swap refuses; where it returns, the first value counts.
 */
export function mergeFiles(
	files: readonly FileContent[],
	onConflict: (error: AiServerError, at: unknown) => void,
): YAMLMap | undefined {
	const [first, ...more] = files.flatMap(({ name, root }) =>
		root === undefined ? [] : [{ name, root }],
	);
	if (first === undefined) return undefined;
	for (const { name, root } of more) new FileMerge(name, onConflict).maps(first.root, root, "");
	return first.root;
}

class FileMerge {
	readonly #file: string;
	readonly #onConflict: (error: AiServerError, at: unknown) => void;

	constructor(file: string, onConflict: (error: AiServerError, at: unknown) => void) {
		this.#file = file;
		this.#onConflict = onConflict;
	}

	maps(target: YAMLMap, source: YAMLMap, path: string): void {
		const known = new Map(target.items.map((pair) => [keyOf(pair), pair]));
		for (const pair of source.items) {
			const key = keyOf(pair);
			const own = known.get(key);
			const below = path === "" ? key : `${path}.${key}`;
			if (own === undefined) target.items.push(pair);
			else if (IDENTITIES.has(below)) this.#identities(own, pair, below);
			else this.#values(own, pair, below);
		}
	}

	#identities(own: Pair, pair: Pair, path: string): void {
		if (!isMap(own.value) || !isMap(pair.value)) {
			this.#refuse(`${path} is no map`, pair);
			return;
		}
		const known = new Set(own.value.items.map(keyOf));
		for (const item of pair.value.items) {
			if (known.has(keyOf(item))) this.#refuse(`${keyOf(item)} in ${path} is there already`, item);
			else own.value.items.push(item);
		}
	}

	#values(own: Pair, pair: Pair, path: string): void {
		if (isNothing(own.value)) own.value = pair.value;
		else if (isNothing(pair.value)) return;
		else if (isMap(own.value) && isMap(pair.value)) this.maps(own.value, pair.value, path);
		else if (isSeq(own.value) && isSeq(pair.value)) own.value.items.push(...pair.value.items);
		else if (!isScalar(own.value) || !isScalar(pair.value) || !isSame(own.value, pair.value)) {
			this.#refuse(`${path} has another value already`, pair);
		}
	}

	#refuse(problem: string, { key }: Pair): void {
		const error = new AiServerError(
			"config",
			`The llama-swap config has a conflict in ${this.#file}: ${problem}`,
			{ hint: "Remove one of the two; llama-swap keeps its old config meanwhile" },
		);
		this.#onConflict(error, key);
	}
}

function keyOf({ key }: Pair): string {
	return isScalar(key) ? String(key.source ?? key.value) : String(key);
}

function isNothing(value: unknown): boolean {
	return value === null || value === undefined || (isScalar(value) && value.source === "");
}

function isSame(one: Scalar, other: Scalar): boolean {
	const [a, b] = [scalarValue(one), scalarValue(other)];
	return typeof a === typeof b && asText(a) === asText(b);
}
