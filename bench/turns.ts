import { HOSTS } from "../hosts/hosts.ts";
import type { Children } from "./children.ts";
import { type Finding, limitFinding, ratioFinding } from "./goals.ts";

type Found = Readonly<Record<string, number>>;

/** What surrounds a stream: its connection, its abort, the conversion of the history. */
export async function turns(children: Children, samples: number): Promise<readonly Finding[]> {
	const { tls, plain, folder } = children;
	const connection = (task: string): Promise<Found> =>
		children.run("connections.ts", [task, tls, plain, folder]) as Promise<Found>;
	const repeat = async (measure: () => Promise<unknown>): Promise<readonly Found[]> => {
		const found: Found[] = [];
		for (let sample = 0; sample < samples; sample += 1) found.push((await measure()) as Found);
		return found;
	};
	const of = (found: readonly Found[], name: string): readonly number[] =>
		found.map((one) => one[name] ?? Number.NaN);

	const first = await repeat(() => connection("first"));
	const firsts = [
		ratioFinding("first event, warm mTLS : bare", {
			ours: of(first, "ours"),
			other: of(first, "bare"),
			goal: 1.5,
			unit: "ms",
		}),
	];
	for (const host of HOSTS) {
		const order = { task: "first-event", provider: "pi", model: "text-1" } as const;
		const found = await repeat(() => children.pi(host, order));
		firsts.push(
			ratioFinding(`first event, warm mTLS : pi ${host} with a certificate`, {
				ours: of(found, "ours"),
				other: of(found, "pi"),
				goal: 0.6,
				unit: "ms",
			}),
		);
	}
	const resumed = await connection("resumed");
	const abort = await repeat(() => connection("abort"));
	const converted = await repeat(() => children.run("conversion.ts", []));
	return [
		...firsts,
		atLeast("new connections resumed", resumed["part"] ?? 0, 0.9),
		limitFinding("abort to terminal event", {
			values: of(abort, "client"),
			goal: 5,
			unit: "ms",
		}),
		limitFinding("abort to server", { values: of(abort, "server"), goal: 10, unit: "ms" }),
		limitFinding("1,200 messages converted again : first time", {
			values: of(converted, "ratio"),
			goal: 0.1,
			unit: "x",
		}),
	];
}

/** Waits a minute, so it is best run beside something else. */
export async function idleMinute({ run, tls, plain, folder }: Children): Promise<Finding> {
	const found = (await run("connections.ts", ["idle", tls, plain, folder])) as Found;
	return atLeast("alive after 60 s idle", found["alive"] ?? 0, 1);
}

function atLeast(what: string, figure: number, goal: number): Finding {
	return { what, ours: String(figure), other: "", figure, goal, noise: 0, atLeast: true };
}
