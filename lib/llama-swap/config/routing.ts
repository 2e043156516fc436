import { asMap, asText, asTexts } from "./yaml-values.ts";

/** Which models push each other out of memory. */
export type Routing =
	| { readonly router: "group"; readonly groups: readonly SwapGroup[] }
	/** Expressions over ids and short names say what may run together; llama-swap alone knows. */
	| { readonly router: "matrix"; readonly sets: ReadonlyMap<string, string> };

export interface SwapGroup {
	/** "(default)" for the models that the config puts in no group. */
	readonly name: string;
	readonly members: readonly string[];
	/** True: one member at a time. */
	readonly swap: boolean;
	/** True: loading a member stops the other groups. */
	readonly exclusive: boolean;
	/** True: other groups cannot stop its members. */
	readonly persistent: boolean;
}

/**
 * The swap policy: `routing.router`, else the older `groups` or `matrix` at the top. Models in no
 * group form one of their own, as in llama-swap.
 */
export function readRouting(section: (name: string) => unknown, ids: readonly string[]): Routing {
	const router = asMap(asMap(section("routing"))?.get("router"));
	const settings = asMap(router?.get("settings"));
	const oldMatrix = asMap(section("matrix"));
	const matrix = router?.get("use") === "matrix" ? asMap(settings?.get("matrix")) : oldMatrix;
	if (matrix !== undefined) {
		const sets = [...(asMap(matrix.get("sets")) ?? [])];
		return {
			router: "matrix",
			sets: new Map(sets.map(([name, expression]) => [name, asText(expression) ?? ""])),
		};
	}
	const written = asMap(section("groups")) ?? asMap(settings?.get("groups"));
	const groups = [...(written ?? [])].flatMap(([name, group]) => readGroup(name, asMap(group)));
	const grouped = new Set(groups.flatMap(({ members }) => members));
	const others = ids.filter((id) => !grouped.has(id));
	if (others.length === 0) return { router: "group", groups };
	const rest = {
		name: "(default)",
		members: others,
		swap: true,
		exclusive: true,
		persistent: false,
	};
	return { router: "group", groups: [...groups, rest] };
}

function readGroup(
	name: string,
	group: ReadonlyMap<string, unknown> | undefined,
): readonly SwapGroup[] {
	if (group === undefined) return [];
	return [
		{
			name,
			members: asTexts(group.get("members")),
			swap: group.get("swap") !== false,
			exclusive: group.get("exclusive") !== false,
			persistent: group.get("persistent") === true,
		},
	];
}
