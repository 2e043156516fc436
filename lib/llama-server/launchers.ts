import { splitScript } from "./shell-words.ts";

/** A server's own call, with what stood around it taken off. */
export interface ServerCall {
	/** File, module or container image that runs; "" when there is none. */
	readonly program: string;
	readonly args: readonly string[];
	/** Variables set on the way to it: `env X=1`, `docker run -e X=1`. */
	readonly env: ReadonlyMap<string, string>;
}

/** How far wrappers are followed into each other: `env nice bash -c "docker run ..."`. */
const WRAPPER_DEPTH = 12;

export const SHELLS: RegExp = /^(?:ba|da|z|k|a)?sh$/;
export const CONTAINERS: RegExp = /^(?:docker|podman|nerdctl)$/;
const PYTHON = /^python[\d.]*w?$/;
/** The flags of `docker run` that take no value; every other flag takes one. */
export const CONTAINER_SWITCHES: RegExp =
	/^(?:-[ditPq]+|--(?:detach|interactive|tty|rm|init|privileged|read-only|publish-all|quiet|no-healthcheck|oom-kill-disable|sig-proxy)|--[^=]+=.*|-[^-].+)$/;
const ASSIGNMENT = /^([A-Za-z_]\w*)=([\s\S]*)$/;

interface Prefix {
	/** Its options that take the next word as their value. */
	readonly values: readonly string[];
	/** Words of its own before the command it runs. */
	readonly words: number;
}

const prefix = (words: number, ...values: readonly string[]): Prefix => ({ words, values });

/** Programs that run the command behind their own arguments; some have a `-c` themselves. */
const PREFIXES: ReadonlyMap<string, Prefix> = new Map([
	["env", prefix(0, "-u", "--unset", "-C", "--chdir")],
	["exec", prefix(0, "-a")],
	["command", prefix(0)],
	["nohup", prefix(0)],
	["setsid", prefix(0)],
	["time", prefix(0, "-f", "-o")],
	["nice", prefix(0, "-n")],
	["ionice", prefix(0, "-c", "--class", "-n", "--classdata")],
	["stdbuf", prefix(0, "-i", "-o", "-e")],
	["sudo", prefix(0, "-u", "-g", "-C", "-D")],
	["doas", prefix(0, "-u", "-C")],
	["numactl", prefix(0, "-N", "-m", "-C", "-i", "-p", "-l")],
	["taskset", prefix(1)],
	["chrt", prefix(1)],
	["timeout", prefix(1, "-k", "-s")],
	["systemd-run", prefix(0, "-p", "-u", "-E", "--uid", "--gid", "--slice", "--unit")],
	["uvx", prefix(0, "--from", "--with", "-p")],
	["uv", prefix(1, "--with", "--project", "-p", "--python")],
]);

/**
 * The call of the server inside a command, behind any of: variables, env, nice and their like, a
 * shell's `-c` script, a container's image, python's `-m`.
 */
export function serverCall(words: readonly string[]): ServerCall {
	return unwrap(words, new Map(), 0);
}

/** The last part of a path, without ".exe": what a program is called. */
export function programName(path: string): string {
	const name = path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
	return name.toLowerCase().replace(/\.exe$/, "");
}

function unwrap(
	words: readonly string[],
	env: ReadonlyMap<string, string>,
	depth: number,
): ServerCall {
	const set = new Map(env);
	let start = 0;
	for (; start < words.length; start++) {
		const [, name, value] = ASSIGNMENT.exec(words[start] ?? "") ?? [];
		if (name === undefined || value === undefined) break;
		set.set(name, value);
	}
	const [program = "", ...args] = words.slice(start);
	const name = programName(program);
	const call = { program, args, env: set };
	if (depth >= WRAPPER_DEPTH) return call;

	const known = PREFIXES.get(name);
	if (known !== undefined) return unwrap(behind(args, known), set, depth + 1);
	if (SHELLS.test(name)) return unwrapScript(args, set, depth) ?? call;
	if (CONTAINERS.test(name)) return unwrapContainer(args, set, depth) ?? call;
	if (PYTHON.test(name)) return unwrapPython(args, set) ?? call;
	return call;
}

function behind(args: readonly string[], { values, words }: Prefix): readonly string[] {
	let own = words;
	let at = 0;
	for (; at < args.length; at++) {
		const arg = args[at] ?? "";
		if (arg === "--") return args.slice(at + 1);
		if (values.includes(arg)) at++;
		else if (!arg.startsWith("-") && own-- <= 0) break;
	}
	return args.slice(at);
}

function unwrapScript(
	args: readonly string[],
	env: ReadonlyMap<string, string>,
	depth: number,
): ServerCall | undefined {
	const at = args.findIndex((arg) => /^-[a-z]*c$/.test(arg));
	const script = at < 0 ? undefined : args[at + 1];
	if (script === undefined) return undefined;
	const exported = new Map(env);
	const calls = splitScript(script).map((words) => {
		const call = unwrap(words[0] === "export" ? words.slice(1) : words, exported, depth + 1);
		// `A=1 ls` sets it for ls alone; `A=1` and `export A=1` for what follows.
		if (call.program === "") for (const [name, value] of call.env) exported.set(name, value);
		return call;
	});
	const running = calls.filter(({ program }) => program !== "");
	// A script may prepare things first and pipe the output on: the server is known by its name.
	return running.find(({ program }) => /server|vllm|llama/i.test(program)) ?? running.at(-1);
}

function unwrapContainer(
	args: readonly string[],
	env: ReadonlyMap<string, string>,
	depth: number,
): ServerCall | undefined {
	const run = args.findIndex((arg) => arg === "run" || arg === "exec");
	if (run < 0) return undefined;
	const inside = new Map(env);
	let entrypoint: string | undefined;
	let at = run + 1;
	for (; at < args.length && args[at]?.startsWith("-"); at++) {
		const [flag = "", joined] = splitOnce(args[at] ?? "", "=");
		const value = joined ?? args[at + 1] ?? "";
		const [name = "", content] = splitOnce(value, "=");
		if ((flag === "-e" || flag === "--env") && content !== undefined) inside.set(name, content);
		if (flag === "--entrypoint") entrypoint = value;
		if (!CONTAINER_SWITCHES.test(args[at] ?? "")) at++;
	}
	const image = args[at] ?? "";
	const rest = args.slice(at + 1);
	if (entrypoint !== undefined) return unwrap([entrypoint, ...rest], inside, depth + 1);
	// Words that begin with a flag go to the image's own server; others name a command.
	const inner = unwrap(rest, inside, depth + 1);
	return inner.program === "" || inner.program.startsWith("-") || inner.program === "serve"
		? { program: image, args: rest, env: inside }
		: inner;
}

function unwrapPython(
	args: readonly string[],
	env: ReadonlyMap<string, string>,
): ServerCall | undefined {
	const at = args.findIndex((arg) => arg === "-m" || !arg.startsWith("-"));
	const start = args[at] === "-m" ? at + 1 : at;
	const program = args[start];
	return at < 0 || program === undefined
		? undefined
		: { program, args: args.slice(start + 1), env };
}

function splitOnce(text: string, separator: string): readonly [string, string | undefined] {
	const at = text.indexOf(separator);
	return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
