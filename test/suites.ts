import { HOSTS, type Host } from "../hosts/hosts.ts";

/** `quick` is `npm test`, `all` is `npm run test:all`; `some` is for a run that names its files. */
export const SUITES = ["quick", "all", "some"] as const;
export type Suite = (typeof SUITES)[number];

/** Some of the tests on one pi, run as a Vitest project of this name. */
export interface Part {
	readonly name: string;
	readonly suites: readonly Suite[];
	readonly host: Host;
	readonly include: readonly string[];
	readonly exclude?: readonly string[];
	readonly env?: Readonly<Record<string, string>>;
	/** Milliseconds that one test may take. */
	readonly timeout?: number;
}

const [NEWEST, OLDEST] = HOSTS;
const E2E = ["test/e2e/*.test.ts"];
const CONFORMANCE = ["test/conformance/*.test.ts"];

export const PARTS: readonly Part[] = [
	{
		name: `units on pi ${NEWEST}`,
		suites: ["quick", "all", "some"],
		host: NEWEST,
		include: ["test/**/*.test.ts"],
		exclude: [...E2E, ...CONFORMANCE],
	},
	{
		// Code that calls into pi's packages; the rest does not know on which pi it runs.
		name: `units on pi ${OLDEST}`,
		suites: ["quick", "all", "some"],
		host: OLDEST,
		include: [
			"test/messages*.test.ts",
			"test/stream*.test.ts",
			"test/{messages,stream,commands,session,ui}/*.test.ts",
		],
	},
	{ name: `e2e on pi ${NEWEST}`, suites: ["quick", "all", "some"], host: NEWEST, include: E2E },
	{ name: `e2e on pi ${OLDEST}`, suites: ["all", "some"], host: OLDEST, include: E2E },
	{
		// Stands in for the end-to-end tests that only `all` runs on this pi.
		name: `smoke on pi ${OLDEST}`,
		suites: ["quick"],
		host: OLDEST,
		include: ["test/e2e/smoke.test.ts"],
	},
	{
		// Runs the rows on both pi versions at once and compares them.
		name: "conformance",
		suites: ["all", "some"],
		host: NEWEST,
		include: CONFORMANCE,
	},
	{
		name: "long property runs",
		suites: ["all"],
		host: NEWEST,
		include: ["test/**/*.property.test.ts"],
		env: { AI_SERVER_FUZZ: "10" },
		timeout: 900_000,
	},
];

/** The parts of a suite, without those that are in `except` as well. */
export function partsOf(suite: Suite, except?: Suite): readonly Part[] {
	return PARTS.filter(
		({ suites }) => suites.includes(suite) && !(except !== undefined && suites.includes(except)),
	);
}
