import type { ServerError } from "../../error-body.ts";
import type { JsonRecord } from "../../json.ts";
import { oneLine } from "../../text.ts";
import { EXTENSIONS } from "../dialect.ts";
import { bridgeTools, needsBridges } from "./alternation.ts";
import { fitOutput } from "./output-room.ts";
import type { Refused } from "./refusal.ts";
import { culpritsOf, relaxTools } from "./tool-schema.ts";
import { unknownFields } from "./unknown-fields.ts";

/** What a model's server has refused once, so that it is not sent again. */
export interface Learned {
	/** Fields that it does not know. */
	readonly without: Set<string>;
	/** Tools whose schema it takes only without `pattern` and the like. */
	readonly relaxed: Set<string>;
	/** Its template demands an answer behind every result of a tool. */
	bridged: boolean;
}

/** By the id of the model; lives as long as its owner. */
export type Lessons = Map<string, Learned>;

/** How a refused request is asked again. */
export interface Remedy {
	readonly request: JsonRecord;
	/** For the user, where something that was set was left out. */
	readonly notice: string | undefined;
	/** True when the answer's limit was changed, which helps once. */
	readonly isFit: boolean;
}

export interface RemedyOptions {
	readonly lessons: Lessons;
	readonly mayFit: boolean;
}

/** The request as this model's server is known to take it. */
export function applyLessons<R extends JsonRecord>(request: R, learned: Learned | undefined): R {
	if (learned === undefined) return request;
	const kept = Object.entries(request).filter(([name]) => !learned.without.has(name));
	const relaxed = relaxTools(Object.fromEntries(kept), learned.relaxed);
	return (learned.bridged ? bridgeTools(relaxed) : relaxed) as R;
}

/** The first remedy that changes the request. What is learned from it is put into `lessons`. */
export function remedyFor(
	refused: Refused,
	model: string,
	{ lessons, mayFit }: RemedyOptions,
): Remedy | undefined {
	const { request } = refused;
	const fitting = mayFit ? fitOutput(refused) : undefined;
	if (fitting !== undefined) return { request: fitting, notice: undefined, isFit: true };
	const learned = lessons.get(model) ?? { without: new Set(), relaxed: new Set(), bridged: false };
	const notice = learnFrom(refused, model, learned);
	if (notice === undefined) return undefined;
	lessons.set(model, learned);
	return {
		request: applyLessons(request, learned),
		notice: notice === "" ? undefined : notice,
		isFit: false,
	};
}

/** What to tell the user, empty for nothing; undefined when there is nothing to learn. */
function learnFrom(refused: Refused, model: string, learned: Learned): string | undefined {
	if (!learned.bridged && needsBridges(refused)) {
		learned.bridged = true;
		return "";
	}
	const fields = unknownFields(refused).filter((name) => !learned.without.has(name));
	if (fields.length > 0) {
		for (const name of fields) learned.without.add(name);
		const set = fields.filter((name) => !EXTENSIONS.includes(name));
		if (set.length === 0) return "";
		return `The server of ${model} does not know ${set.join(", ")}; requests to it go without`;
	}
	const culprits = culpritsOf(refused).filter(({ tool }) => !learned.relaxed.has(tool));
	if (culprits.length === 0) return undefined;
	for (const { tool } of culprits) learned.relaxed.add(tool);
	const named = culprits.map(({ tool, keywords }) => `${tool} (${keywords.join(", ")})`);
	return `The server of ${model} cannot use the schema of the tool ${named.join(", ")}; requests to it go without pattern, format and length limits there`;
}

/** A refusal in the form that remedies look into. */
export function refusalOf(
	request: JsonRecord,
	{
		status,
		error,
		body,
	}: { status: number | undefined; error: ServerError | undefined; body: string },
): Refused {
	const code = typeof error?.code === "number" ? error.code : undefined;
	return { request, status: status ?? code, message: oneLine(error?.message ?? ""), body };
}

/** The tools whose schemas the server complains of, in words: `pattern in the tool edit`. */
export function culpritsIn(refused: Refused): string | undefined {
	const culprits = culpritsOf(refused);
	if (culprits.length === 0) return undefined;
	return culprits
		.map(({ tool, keywords }) => `${keywords.join(", ")} in the schema of the tool ${tool}`)
		.join("; ");
}
