import { isServerName, programName, type Server, serverOf } from "./servers.ts";
import { commandWords, joinWords, restOf, scriptCommands, type Word } from "./shell-words.ts";

/** A server's own call, without the programs that start it. */
export interface ServerCall {
	/** File, module or container image that runs; "" when there is none. */
	readonly program: string;
	/** Undefined for a program that is not a known server. */
	readonly server: Server | undefined;
	readonly args: readonly Word[];
	/** Variables set on the way to it: `env X=1`, `docker run -e X=1`. */
	readonly env: ReadonlyMap<string, string>;
	/** True within a script: what is appended to the command is no argument of the server. */
	readonly isQuoted: boolean;
	/** False where a script runs several programs that may be the server. */
	readonly isAlone: boolean;
}

/** A program that starts another one, and what comes between the two names. */
interface Launcher {
	/** Its own words before the command, at most: `timeout 600`, `toolbox run`. */
	readonly words?: number;
	/** Its options that take the next word, by blanks. */
	readonly values?: string;
	/** Its options behind which the command begins; `--` always is one. */
	readonly starts?: string;
	/** Its options whose value is a whole command line. */
	readonly scripts?: RegExp;
	/** Its options whose value is a Python module to run. */
	readonly modules?: string;
	/** True where the words behind it are put together and read once more by a shell. */
	readonly isJoined?: boolean;
	/** True where its scripts are for the shell of Windows. */
	readonly isWindows?: boolean;
}

/** How far launchers are followed into each other: `env nice bash -c "docker run ..."`. */
const MAX_DEPTH = 12;

const SHELL_SCRIPT = /^-[a-z]*c$|^--?[cC]ommand$/;
const SHELL: Launcher = { values: "-o +o -O +O --rcfile --init-file -C", scripts: SHELL_SCRIPT };
const PYTHON: Launcher = { values: "-W -X", modules: "-m" };
const PLAIN: Launcher = {};
const RUN: Launcher = { words: 1, values: "-n --name -p --prefix -e --environment --cwd" };

const LAUNCHERS: ReadonlyMap<string, Launcher> = new Map<string, Launcher>([
	...each("bash dash sh zsh ksh ash fish csh tcsh powershell pwsh", SHELL),
	...each(
		"command nohup setsid busybox tini dumb-init catatonit gamemoderun prime-run primusrun steam-run dbus-run-session unbuffer caffeinate torsocks firejail unshare",
		PLAIN,
	),
	...each("conda mamba micromamba poetry pipenv pixi rye hatch pipx", RUN),
	["env", { values: "-u --unset -C --chdir", scripts: /^(?:-[a-z]*S|--split-string)$/ }],
	["exec", { values: "-a" }],
	["eval", { isJoined: true }],
	["time", { values: "-f -o" }],
	["nice", { values: "-n --adjustment" }],
	["ionice", { values: "-c --class -n --classdata" }],
	["stdbuf", { values: "-i -o -e" }],
	["sudo", { values: "-u --user -g --group -C -D -h -p -r -t -T -U" }],
	["doas", { values: "-u -C" }],
	["runuser", { values: "-u --user -g -G -s", scripts: SHELL_SCRIPT }],
	["su", { words: 1, values: "-s -g -G", scripts: SHELL_SCRIPT }],
	["script", { scripts: SHELL_SCRIPT }],
	["numactl", { values: "-N -m -C -i -p -P --cpunodebind --membind --physcpubind --interleave" }],
	["taskset", { words: 1 }],
	["chrt", { words: 1 }],
	["prlimit", { values: "-p" }],
	["choom", { values: "-n" }],
	["timeout", { words: 1, values: "-k -s --kill-after --signal" }],
	["flock", { words: 1, values: "-w -E", scripts: SHELL_SCRIPT }],
	["chroot", { words: 1 }],
	["systemd-run", { values: "-p -u -E -t --uid --gid --slice --unit --property --setenv" }],
	["systemd-inhibit", { values: "--what --who --why --mode" }],
	["strace", { values: "-o -e -p -s" }],
	["mpirun", { values: "-np -n -H --host --hostfile" }],
	["uvx", { values: "--from --with -p --python" }],
	["uv", { words: 1, values: "--with --project -p --python --directory", modules: "-m --module" }],
	["python", PYTHON],
	["direnv", { words: 2 }],
	["mise", { words: 1 }],
	["toolbox", { words: 1, values: "-c --container -d --distro -r --release" }],
	["distrobox", { words: 2, values: "-n --name -a --additional-flags", starts: "-e --exec" }],
	["distrobox-enter", { words: 1, values: "-n --name -a --additional-flags", starts: "-e --exec" }],
	["nix-shell", { words: 99, values: "-A -I -E", scripts: /^--(?:run|command)$/ }],
	["nix", { words: 99, starts: "-c --command" }],
	["kubectl", { words: 2, values: "-n -c --namespace --container" }],
	["lxc", { words: 2 }],
	["incus", { words: 2 }],
	["schroot", { values: "-c -u -d --chroot" }],
	["sshpass", { values: "-p -f -d" }],
	[
		"ssh",
		{
			words: 1,
			values: "-b -c -D -E -e -F -I -i -J -L -l -m -O -o -p -Q -R -S -W -w -B",
			isJoined: true,
		},
	],
	["wsl", { values: "-d --distribution -u --user --cd --shell-type", starts: "-e --exec" }],
	["cmd", { starts: "/c /k /C /K", isWindows: true }],
]);

function each(names: string, launcher: Launcher): readonly (readonly [string, Launcher])[] {
	return names.split(" ").map((name) => [name, launcher] as const);
}

/** Shell words that a command may follow at once. */
const KEYWORDS = /^(?:do|then|else|elif|if|while|until|!|[{}]|done|fi|esac|time)$/;
/** Programs that are never the server, though its name may be among their arguments. */
const BYSTANDERS: ReadonlySet<string> = new Set(
	"alias cat cd chmod chown cp curl echo exit export false for case grep kill killall ln ls mkdir mv nvidia-smi pgrep pkill printf pushd popd read rm rocm-smi sed set shift shopt sleep source systemctl tee test touch trap true type ulimit umask unset wait wget which . : [ [[".split(
		" ",
	),
);
const ASSIGNMENT = /^([A-Za-z_]\w*)=([\s\S]*)$/;

type Variables = ReadonlyMap<string, string>;

/**
 * The call of the server inside a command, behind any of: variables, env, nice and their like, a
 * shell's `-c` script, a container's image, python's `-m`.
 */
export function serverCall(cmd: string): ServerCall {
	return unwrap(commandWords(cmd), new Map(), 0);
}

/** The same for a command that is in words already. */
export function serverCallOf(words: readonly string[]): ServerCall {
	return unwrap(
		words.map((text) => ({ text, places: [] })),
		new Map(),
		0,
	);
}

function callOf(program: string, args: readonly Word[], env: Variables): ServerCall {
	return { program, server: serverOf(program), args, env, isQuoted: false, isAlone: true };
}

function unwrap(words: readonly Word[], outer: Variables, depth: number): ServerCall {
	const env = new Map(outer);
	let start = 0;
	for (; start < words.length; start++) {
		const [, name, value] = ASSIGNMENT.exec(words[start]?.text ?? "") ?? [];
		if (name === undefined || value === undefined) break;
		env.set(name, value);
	}
	const program = words[start]?.text ?? "";
	const args = words.slice(start + 1);
	const call = callOf(program, args, env);
	const name = programName(program).replace(/^python[\d.]*w?$/, "python");
	if (depth >= MAX_DEPTH || program === "" || BYSTANDERS.has(name)) return call;
	if (CONTAINERS.test(name)) return unwrapContainer(name, args, env, depth) ?? call;
	const launcher = LAUNCHERS.get(name);
	if (launcher !== undefined) return unwrapLauncher(launcher, args, env, depth) ?? call;
	return call.server === undefined ? (search(args, env, depth) ?? call) : call;
}

function unwrapLauncher(
	launcher: Launcher,
	args: readonly Word[],
	env: Variables,
	depth: number,
): ServerCall | undefined {
	const { words = 0, scripts, isJoined = false, isWindows = false } = launcher;
	const [values, starts, modules] = [launcher.values, launcher.starts, launcher.modules].map(
		(names) => names?.split(" ") ?? [],
	);
	let own = words;
	let last = "";
	let at = 0;
	for (; at < args.length; at++) {
		const word = args[at];
		const [option = "", joined] = splitOnce(word?.text ?? "", "=");
		if (scripts?.test(option)) {
			const value = joined === undefined ? args[at + 1] : word && restOf(word, option.length + 1);
			return value && unwrapScript(value, isWindows, env, depth);
		}
		if (modules?.includes(option)) return unwrap(args.slice(at + 1), env, depth + 1);
		const isStart = starts?.includes(option) === true;
		if (option === "--" || isStart) {
			at++;
			break;
		}
		if (values?.includes(option) && joined === undefined) at++;
		else if (/^[-+]/.test(option) || (isWindows && option.startsWith("/"))) continue;
		else if (own-- > 0) last = option;
		else break;
	}
	const [first, ...more] = args.slice(at);
	if (first === undefined) return undefined;
	if (/\s/.test(first.text) && (more.length === 0 || isJoined)) {
		return unwrapScript(joinWords([first, ...more]), isWindows, env, depth);
	}
	// `nix run nixpkgs#llama-cpp -- -m x`: the program is the package.
	const call = callOf(last, args.slice(at), env);
	return first.text.startsWith("-") ? call : unwrap(args.slice(at), env, depth + 1);
}

/**
 * What a script runs: the server among its commands, where one is known by its name; else the last
 * one, as a script may prepare things first.
 */
function unwrapScript(
	script: Word,
	isWindows: boolean,
	env: Variables,
	depth: number,
): ServerCall | undefined {
	const exported = new Map(env);
	const running: ServerCall[] = [];
	for (const words of scriptCommands(script, isWindows)) {
		let from = 0;
		while (KEYWORDS.test(words[from]?.text ?? "")) from++;
		const isExport = words[from]?.text === "export";
		const call = unwrap(words.slice(isExport ? from + 1 : from), exported, depth + 1);
		// `A=1 ls` sets it for ls alone; `A=1` and `export A=1` for what follows.
		if (call.program === "") for (const [name, value] of call.env) exported.set(name, value);
		else if (!isExport && !BYSTANDERS.has(programName(call.program))) running.push(call);
	}
	const servers = running.filter(({ server }) => server !== undefined);
	// `command -v llama-server` is no start of it.
	const started = servers.filter(({ args }) => args.length > 0);
	const found = started[0] ?? servers[0] ?? running.at(-1);
	const rivals = started.length > 0 ? started : servers.length > 0 ? servers : running;
	return found && { ...found, isQuoted: true, isAlone: rivals.length === 1 && found.isAlone };
}

/**
 * A server whose name is among the arguments of an unknown program: as a word, or within an argument
 * that is a script. Words before its name are not the server's.
 */
function search(args: readonly Word[], env: Variables, depth: number): ServerCall | undefined {
	for (const [at, word] of args.entries()) {
		const before = args[at - 1]?.text ?? "";
		if (isServerName(word.text) && (before === "--" || !before.startsWith("-"))) {
			return unwrap(args.slice(at), env, depth + 1);
		}
		if (!/\s/.test(word.text)) continue;
		const inner = unwrapScript(word, false, env, depth);
		if (inner !== undefined && isServerName(inner.program)) return inner;
	}
	return undefined;
}

const CONTAINERS = /^(?:docker|podman|nerdctl|apptainer|singularity)$/;
/** The options of `docker run` and `podman run` that take no value; most take one. */
const CONTAINER_SWITCHES: ReadonlySet<string> = new Set(
	"--detach --interactive --tty --rm --rmi --init --privileged --read-only --publish-all --quiet --replace --env-host --no-hosts --no-hostname --no-healthcheck --oom-kill-disable --sig-proxy --tls-verify --help --disable-content-trust --http-proxy --passwd --rootfs --unsetenv-all --use-api-socket --read-only-tmpfs".split(
		" ",
	),
);
/** The options of `apptainer exec` that take a value; most take none. */
const APPTAINER_VALUES: ReadonlySet<string> = new Set(
	"-B --bind --env --env-file -H --home -W --workdir --pwd --cwd -S --scratch -o --overlay --app --network --network-args --mount --security --hostname --dns --fusemount --add-caps --drop-caps --apply-cgroups --docker-host".split(
		" ",
	),
);

function unwrapContainer(
	name: string,
	args: readonly Word[],
	env: Variables,
	depth: number,
): ServerCall | undefined {
	const run = args.findIndex(({ text }) => /^(?:run|exec|create)$/.test(text));
	if (run < 0) return undefined;
	const isApptainer = /^(?:apptainer|singularity)$/.test(name);
	const inside = new Map(env);
	let entrypoint: string | undefined;
	let at = run + 1;
	for (; args[at]?.text.startsWith("-"); at++) {
		const { flag, value, length } = containerOption(args, at, isApptainer);
		if (flag === "-e" || flag === "--env") {
			for (const entry of isApptainer ? value.split(",") : [value]) {
				const [variable = "", content] = splitOnce(entry, "=");
				if (content !== undefined) inside.set(variable, content);
			}
		}
		if (flag === "--entrypoint") entrypoint = value;
		at += length - 1;
	}
	const image = args[at]?.text ?? "";
	const rest = args.slice(at + 1);
	if (entrypoint) {
		return unwrap([{ text: entrypoint, places: [] }, ...rest], inside, depth + 1);
	}
	return runsImage(image, rest[0]?.text)
		? callOf(image, rest, inside)
		: unwrap(rest, inside, depth + 1);
}

/** Words that begin with a flag go to the image's own server; others name a command. */
function runsImage(image: string, first: string | undefined): boolean {
	if (first === undefined || first.startsWith("-") || first === "serve") return true;
	// `vllm/vllm-openai org/model`: the first argument of that server is the model.
	const isCommand =
		LAUNCHERS.has(programName(first)) ||
		/^python|^\.{0,2}\/|\.(?:sh|py)$/.test(first) ||
		isServerName(first) ||
		serverOf(first) !== undefined;
	return serverOf(image) !== undefined && !isCommand;
}

interface ContainerOption {
	readonly flag: string;
	readonly value: string;
	/** How many words it takes. */
	readonly length: 1 | 2;
}

function containerOption(args: readonly Word[], at: number, isApptainer: boolean): ContainerOption {
	const text = args[at]?.text ?? "";
	const next = args[at + 1]?.text ?? "";
	const [flag = "", joined] = splitOnce(text, "=");
	if (text.startsWith("--") && joined !== undefined) return { flag, value: joined, length: 1 };
	if (isApptainer) {
		return { flag, value: next, length: APPTAINER_VALUES.has(text) ? 2 : 1 };
	}
	if (text.startsWith("--")) {
		// No value of an option begins with a dash, but the option behind a switch does.
		const isSwitch = CONTAINER_SWITCHES.has(text) || next.startsWith("-");
		return { flag, value: isSwitch ? "" : next, length: isSwitch ? 1 : 2 };
	}
	// Switches of one letter can be put together, and the last letter may have its value joined.
	const [, letter, rest = ""] = /^-[ditPq]*([^ditPq])([\s\S]*)$/.exec(text) ?? [];
	if (letter === undefined) return { flag: text, value: "", length: 1 };
	return rest === ""
		? { flag: `-${letter}`, value: next, length: 2 }
		: { flag: `-${letter}`, value: rest.replace(/^=/, ""), length: 1 };
}

function splitOnce(text: string, separator: string): readonly [string, string | undefined] {
	const at = text.indexOf(separator);
	return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
