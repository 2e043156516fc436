/**
 * What becomes of a start: a list that is printed, an answer that is printed, or a session with a
 * person or a program that sees what changes later.
 */
export type StartMode = "list" | "print" | "live";

export interface Launch {
	/** As in process.argv. */
	readonly argv: readonly string[];
	/** Whether both ends are a terminal: without one pi prints. */
	readonly isTerminal: boolean;
}

/**
 * pi's own rule. The host tells extensions its mode with the session only, which is too late for a
 * list and for the choice of a model.
 */
export function startMode({ argv: [, program = "", ...args], isTerminal }: Launch): StartMode {
	const mode = args[args.lastIndexOf("--mode") + 1];
	const given = (...names: readonly string[]): boolean => names.some((name) => args.includes(name));
	if ((args.includes("--mode") && mode === "rpc") || /\brpc-entry\.[cm]?js$/.test(program))
		return "live";
	if (given("--help", "-h", "--version", "-v")) return "live";
	if (given("--list-models")) return "list";
	const isJson = args.includes("--mode") && mode === "json";
	return isJson || given("--print", "-p") || !isTerminal ? "print" : "live";
}
