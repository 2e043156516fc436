import { AiServerError } from "../errors.ts";
import { shellQuote } from "../ssh/quote.ts";
import { plainText } from "../text.ts";

/** Whose services llama-swap is one of: the login's systemd, the machine's, or OpenRC's. */
export type ServiceScope = "user" | "system" | "openrc";

export type ServiceAction =
	| "restart"
	/** Prints one word; its exit code is not 0 when that is not "active". */
	| "is-active"
	/** The last lines that the service wrote. */
	| "journal"
	/** SIGHUP to the main process alone, never to the models that it runs. */
	| "kill-hup"
	/** Prints a process id; 0 when the service does not run. */
	| "main-pid";

/** What the command gave. */
export interface ServiceResult {
	/** Undefined when the connection broke, or a signal ended it. */
	readonly code: number | undefined;
	readonly stderr: string;
}

export interface ServiceCall {
	readonly scope: ServiceScope;
	readonly unit: string;
	readonly action: ServiceAction;
	/** The name of the SSH login, for the hints. */
	readonly user: string;
}

const SCOPES: readonly ServiceScope[] = ["user", "system", "openrc"];
const JOURNAL_LINES = 20;
/** llama-swap gives its models 30 s to stop, and itself 5 more. */
const LIMIT_SECONDS = 60;

/** Throws AiServerError "settings" that names the variable. */
export function parseServiceScope(text: string): ServiceScope {
	const scope = SCOPES.find((known) => known === text.trim().toLowerCase());
	if (scope !== undefined) return scope;
	throw new AiServerError("settings", `AI_SERVER_SERVICE_SCOPE is ${JSON.stringify(text)}`, {
		hint: `Set it to one of ${SCOPES.join(", ")}`,
	});
}

/**
 * The unit as the scope's tools take it: OpenRC's services have no ".service".
 * Throws AiServerError "settings" for what systemd (systemd.unit(5)) or OpenRC would not take.
 */
export function parseServiceUnit(scope: ServiceScope, text: string): string {
	if (scope === "openrc") {
		const name = text.replace(/\.service$/, "");
		if (/^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,200}$/.test(name)) return name;
		throw oddUnit(text, "Write the name of a file in /etc/init.d");
	}
	if (!/^[A-Za-z0-9:_.\\][A-Za-z0-9:_.\\@-]{0,254}$/.test(text)) {
		throw oddUnit(text, "Write it as llama-swap.service or llama-swap@name.service");
	}
	if (/@(?:\.[a-z]+)?$/.test(text)) {
		throw oddUnit(text, "A template needs an instance: llama-swap@name.service");
	}
	return text;
}

/**
 * The command for the login shell on the server. Of systemd's, only what changes something asks
 * sudo. Throws AiServerError "settings" for an odd unit.
 */
export function serviceCommand(scope: ServiceScope, unit: string, action: ServiceAction): string {
	const name = shellQuote(parseServiceUnit(scope, unit));
	if (scope === "openrc") return `sh -c ${shellQuote(OPENRC[action])} sh ${name}`;
	const words = systemdWords(scope, action);
	const script = scope === "user" ? `${SESSION_BUS} ${words}` : words;
	return `sh -c ${shellQuote(script)} sh ${name}`;
}

/** Without a PAM session the variable is not set, and systemctl finds no bus. */
const SESSION_BUS =
	'XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/run/user/$(id -u)}"; export XDG_RUNTIME_DIR;';
/** Not "--kill-whom", which came with systemd 252. */
const HANG_UP = "kill --signal=HUP --kill-who=main";
const JOURNAL = `journalctl --quiet --no-pager --output=cat --lines=${JOURNAL_LINES}`;

function systemdWords(scope: "user" | "system", action: ServiceAction): string {
	const systemctl = scope === "user" ? "systemctl --user" : "systemctl";
	const changing = scope === "user" ? bounded : asRoot;
	switch (action) {
		case "restart":
			return changing(`${systemctl} restart -- "$1"`);
		case "kill-hup":
			return changing(`${systemctl} ${HANG_UP} -- "$1"`);
		case "is-active":
			return bounded(`${systemctl} is-active -- "$1"`);
		case "main-pid":
			return bounded(`${systemctl} show --property=MainPID --value -- "$1"`);
		case "journal":
			if (scope === "user") return bounded(`${JOURNAL} --user-unit="$1"`);
			// Often sudo allows the restart alone, while the group adm may read the journal.
			return `sudo -n ${JOURNAL} --unit="$1" 2>/dev/null || ${bounded(`${JOURNAL} --unit="$1"`)}`;
		default:
			return action satisfies never;
	}
}

const OPENRC: Readonly<Record<ServiceAction, string>> = {
	restart: asRoot('rc-service "$1" restart'),
	"is-active": `if ${bounded('rc-service "$1" status >/dev/null')}; then echo active; else echo inactive; exit 3; fi`,
	"kill-hup": `pid=$(cat "/run/$1.pid") && { ${asRoot('kill -HUP "$pid"')}; }`,
	"main-pid": 'if [ -e "/run/$1.pid" ]; then cat "/run/$1.pid"; else echo 0; fi',
	journal: `tail -n ${JOURNAL_LINES} "/var/log/$1.log"`,
};

function bounded(command: string): string {
	return `timeout ${LIMIT_SECONDS} ${command}`;
}

/** Small machines have no sudo, and a login as root. */
function asRoot(command: string): string {
	return `if command -v sudo >/dev/null; then ${bounded(`sudo -n ${command}`)}; else ${bounded(command)}; fi`;
}

/** What a failed command means, in the words of a person; for a `code` other than 0. */
export function serviceFault(result: ServiceResult, call: ServiceCall): AiServerError {
	const { scope, unit, action, user } = call;
	const { code } = result;
	const stderr = plainText(result.stderr).replace(/\s+/g, " ").trim();
	const doing = `${WORDS[action]} ${unit}`;
	const said = stderr === "" ? "" : `: ${stderr}`;
	const facts = `${code === undefined ? "no exit code" : `exit code ${code}`}${said}`;
	const fault = (message: string, hint: string): AiServerError =>
		new AiServerError("ssh", `${message} (${facts})`, { hint });
	const noTool = (): AiServerError =>
		fault(
			`The server has no ${TOOL[scope]} that works`,
			`Set AI_SERVER_SERVICE_SCOPE to ${SCOPES.filter((other) => other !== scope).join(" or ")}`,
		);
	if (code === undefined) {
		return fault(`${doing} was cut off`, "Look at the server before you try again");
	}
	if (code === 124 && stderr === "") {
		return fault(
			`${doing} did not end within ${LIMIT_SECONDS} s`,
			"It may still be at work: look at the server",
		);
	}
	const kind = KNOWN.find(({ pattern }) => pattern.test(stderr))?.kind;
	switch (kind) {
		case "no-bus":
			if (scope !== "user") return noTool();
			return fault(
				`There is no systemd for ${user} while nobody is logged in`,
				`Run once on the server: sudo loginctl enable-linger ${user}`,
			);
		case "no-rights":
			return fault(`${user} may not do that: ${doing} needs root`, rightsHint(call));
		case "no-unit":
			return fault(
				`There is no service ${unit} ${PLACE[scope]}`,
				"Check AI_SERVER_SERVICE_UNIT and AI_SERVER_SERVICE_SCOPE",
			);
		case "no-tool":
			return noTool();
		case undefined:
			return fault(`${doing} failed`, "Look at the service's log on the server");
		default:
			return kind satisfies never;
	}
}

const WORDS: Readonly<Record<ServiceAction, string>> = {
	restart: "Restarting",
	"is-active": "Asking for the state of",
	journal: "Reading the log of",
	"kill-hup": "Signalling",
	"main-pid": "Asking for the process of",
};

const PLACE: Readonly<Record<ServiceScope, string>> = {
	user: "among the user services of the SSH login",
	system: "among the system services",
	openrc: "in OpenRC",
};

const TOOL: Readonly<Record<ServiceScope, string>> = {
	user: "systemctl",
	system: "systemctl or sudo",
	openrc: "rc-service",
};

/** From systemd 247 to 257, sudo 1.8 and 1.9, OpenRC 0.45 and later; the first that fits counts. */
const KNOWN = [
	{
		kind: "no-bus",
		pattern: /failed to connect to (?:the )?(?:user scope )?bus|XDG_RUNTIME_DIR|no medium found/i,
	},
	{
		kind: "no-rights",
		pattern:
			/password is required|terminal is required|askpass|sudoers|not allowed to (?:run|execute)|may not run sudo|interactive authentication|access denied|permission denied|superuser|operation not permitted/i,
	},
	{
		kind: "no-unit",
		pattern:
			/unit \S+ (?:could not be found|not found|not loaded)|unit \S+ does not exist|service [`'"]?\S+ does not exist/i,
	},
	{
		kind: "no-tool",
		pattern: /: (?:command )?not found|failed to run command|can't execute|booted with systemd/i,
	},
] as const;

function rightsHint({ scope, unit, user, action }: ServiceCall): string {
	if (scope === "user") return "Log in as the user that runs the service";
	if (scope === "openrc" && action === "kill-hup") return "Log in as root, or restart it instead";
	const name = parseServiceUnit(scope, unit);
	const commands =
		scope === "openrc"
			? [`/sbin/rc-service ${name} restart`]
			: [`/usr/bin/systemctl restart -- ${name}`, `/usr/bin/systemctl ${HANG_UP} -- ${name}`];
	// sudoers(5) gives these a meaning of their own.
	const escaped = commands.map((command) => command.replace(/[,:=\\]/g, "\\$&"));
	return `Add with visudo: ${user} ALL=(root) NOPASSWD: ${escaped.join(", ")}`;
}

function oddUnit(text: string, hint: string): AiServerError {
	return new AiServerError("settings", `AI_SERVER_SERVICE_UNIT is ${JSON.stringify(text)}`, {
		hint,
	});
}
