import type { ServerModel } from "../discovery/merge.ts";
import { type Command, defineCommand } from "./command.ts";

export const refreshCommand: Command = defineCommand({
	name: "refresh",
	description: "Ask the server for its models again",
	arguments: {},
	async run(_values, { server: { catalog } }) {
		const before = catalog.current().models;
		const { models, warnings, guesses } = await catalog.refresh();
		return [describeChange(before, models), ...warnings, ...guesses].join("\n");
	},
});

/** "3 models; new: a; gone: b; context changed: c (4096 to 8192)". */
export function describeChange(
	before: readonly ServerModel[],
	after: readonly ServerModel[],
): string {
	const old = new Map(before.map((model) => [model.id, model]));
	const ids = new Set(after.map(({ id }) => id));
	const added = after.filter(({ id }) => !old.has(id)).map(({ id }) => id);
	const gone = before.filter(({ id }) => !ids.has(id)).map(({ id }) => id);
	const resized = after.flatMap(({ id, contextWindow }) => {
		const was = old.get(id)?.contextWindow;
		return was === undefined || was === contextWindow ? [] : [`${id} (${was} to ${contextWindow})`];
	});
	const parts = [
		`${after.length} model${after.length === 1 ? "" : "s"}`,
		...(added.length > 0 ? [`new: ${added.join(", ")}`] : []),
		...(gone.length > 0 ? [`gone: ${gone.join(", ")}`] : []),
		...(resized.length > 0 ? [`context changed: ${resized.join(", ")}`] : []),
	];
	return parts.length === 1 ? `${parts[0]}, nothing changed` : parts.join("; ");
}
