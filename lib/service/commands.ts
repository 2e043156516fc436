import { AiServerError, type ErrorFacts } from "../errors.ts";
import { shellQuote } from "../ssh/quote.ts";
import { plainText } from "../text.ts";

/** The service manager that runs llama-swap: the login's systemd, the system's, or OpenRC. */
export type ServiceScope = "user" | "system" | "openrc";

export type ServiceAction =
	| "restart"
	/** Prints one word; the exit code is 0 for "active" only. */
	| "is-active"
	/** The last lines that the service wrote. */
	| "journal"
	/** SIGHUP to the main process alone, never to the models that it runs. */
	| "kill-hup";

/** How the command ended. */
export interface ServiceResult {
	/** Undefined when a signal ended the command. */
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
/** llama-swap takes up to 30 s to stop its models, and 5 more for itself. */
const MAX_SECONDS = 60;

/** Throws AiServerError "settings". */
export function parseServiceScope(text: string): ServiceScope {
	const scope = SCOPES.find((known) => known === text.trim().toLowerCase());
	if (scope !== undefined) return scope;
	throw new AiServerError("settings", `${JSON.stringify(text)} is not a service scope`, {
		hint: `Use ${SCOPES.slice(0, -1).join(", ")} or ${SCOPES.at(-1)}`,
		setting: "serviceScope",
	});
}

/**
 * The unit as the scope's tools expect it: OpenRC's services have no ".service".
 * Throws AiServerError "settings" for a name that systemd (systemd.unit(5)) or OpenRC would reject.
 */
export function parseServiceUnit(scope: ServiceScope, text: string): string {
	if (scope === "openrc") {
		const name = text.replace(/\.service$/, "");
		if (/^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,200}$/.test(name)) return name;
		throw unusableUnit(text, "Use the name of a file in /etc/init.d");
	}
	if (!/^[A-Za-z0-9:_.\\][A-Za-z0-9:_.\\@-]{0,254}$/.test(text)) {
		throw unusableUnit(text, "Write it as llama-swap.service or llama-swap@name.service");
	}
	if (/@(?:\.[a-z]+)?$/.test(text)) {
		throw unusableUnit(text, "Name an instance of the template: llama-swap@name.service");
	}
	return text;
}

/**
 * The command for the login shell on the server. With systemd only the actions that change something
 * use sudo, and the journal where it may. Throws AiServerError "settings" for an unusable unit.
 */
export function serviceCommand(scope: ServiceScope, unit: string, action: ServiceAction): string {
	const name = shellQuote(parseServiceUnit(scope, unit));
	if (scope === "openrc") return `sh -c ${shellQuote(OPENRC[action])} sh ${name}`;
	const systemd = systemdScript(scope, action);
	const script = scope === "user" ? `${SESSION_BUS} ${systemd}` : systemd;
	return `sh -c ${shellQuote(script)} sh ${name}`;
}

/** Without a PAM session the variable is not set, and systemctl finds no bus. */
const SESSION_BUS =
	'XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/run/user/$(id -u)}"; export XDG_RUNTIME_DIR;';
/** Not "--kill-whom", which came with systemd 252. */
const HANG_UP = "kill --signal=HUP --kill-who=main";
const JOURNAL = `journalctl --quiet --no-pager --output=cat --lines=${JOURNAL_LINES}`;

function systemdScript(scope: "user" | "system", action: ServiceAction): string {
	const systemctl = scope === "user" ? "systemctl --user" : "systemctl";
	const changing = scope === "user" ? bounded : asRoot;
	switch (action) {
		case "restart":
			return changing(`${systemctl} restart -- "$1"`);
		case "kill-hup":
			return changing(`${systemctl} ${HANG_UP} -- "$1"`);
		case "is-active":
			return bounded(`${systemctl} is-active -- "$1"`);
		case "journal":
			if (scope === "user") return bounded(`${JOURNAL} --user-unit="$1"`);
			// Often sudo allows only the restart, while the group adm may read the journal.
			return `sudo -n ${JOURNAL} --unit="$1" 2>/dev/null || ${bounded(`${JOURNAL} --unit="$1"`)}`;
		default:
			return action satisfies never;
	}
}

const OPENRC: Readonly<Record<ServiceAction, string>> = {
	restart: asRoot('rc-service "$1" restart'),
	"is-active": `if ${bounded('rc-service "$1" status >/dev/null')}; then echo active; else echo inactive; exit 3; fi`,
	// A supervisor's pid file names the supervisor, which ends on SIGHUP and passes on what it is told to.
	// The kernel cuts the name of a process after 15 characters.
	"kill-hup": `pid=$(cat "/run/$1.pid" 2>/dev/null || cat "/run/supervise-$1.pid") && if [ "$(cat "/proc/$pid/comm")" = supervise-daemo ]; then ${asRoot('env RC_SVCNAME="$1" supervise-daemon "$1" --signal HUP')}; else ${asRoot('kill -HUP "$pid"')}; fi`,
	journal: `tail -n ${JOURNAL_LINES} "/var/log/$1.log"`,
};

function bounded(command: string): string {
	return `timeout ${MAX_SECONDS} ${command}`;
}

/** Small systems have no sudo, and the login is root. */
function asRoot(command: string): string {
	return `if command -v sudo >/dev/null; then ${bounded(`sudo -n ${command}`)}; else ${bounded(command)}; fi`;
}

/** The error for a command that failed: its `code` is not 0. */
export function serviceError(result: ServiceResult, call: ServiceCall): AiServerError {
	const { scope, unit, action, user } = call;
	const { code } = result;
	const stderr = plainText(result.stderr).replace(/\s+/g, " ").trim();
	const doing = `${ACTIVITY[action]} ${unit}`;
	const exit = code === undefined ? "no exit code" : `exit code ${code}`;
	const facts = stderr === "" ? exit : `${exit}: ${stderr}`;
	const failed = (message: string, hint: string, setting?: ErrorFacts["setting"]): AiServerError =>
		new AiServerError("ssh", `${message} (${facts})`, { hint, setting });
	const noTool = (): AiServerError =>
		failed(
			`${TOOL[scope]} is not available on the server`,
			`Set the service scope to ${SCOPES.filter((other) => other !== scope).join(" or ")}`,
			"serviceScope",
		);
	if (code === undefined) {
		return failed(`${doing} was interrupted`, "Check the server before you try again");
	}
	if (code === 124 && stderr === "") {
		return failed(
			`${doing} did not end within ${MAX_SECONDS} s`,
			"It may still be running; check the server",
		);
	}
	const kind = KNOWN.find(({ pattern }) => pattern.test(stderr))?.kind;
	switch (kind) {
		case "no-bus":
			if (scope !== "user") return noTool();
			return failed(
				`systemd does not run for ${user} without a login session`,
				`Run once on the server: sudo loginctl enable-linger ${user}`,
			);
		case "no-rights":
			return failed(`${doing} needs root, and ${user} has no permission`, rightsHint(call));
		case "no-unit":
			return failed(`The service ${unit} does not exist ${PLACE[scope]}`, "Check unit and scope", [
				"serviceUnit",
				"serviceScope",
			]);
		case "no-tool":
			return noTool();
		case undefined:
			return failed(`${doing} failed`, "Check the service's log on the server");
		default:
			return kind satisfies never;
	}
}

const ACTIVITY: Readonly<Record<ServiceAction, string>> = {
	restart: "Restarting",
	"is-active": "Reading the state of",
	journal: "Reading the log of",
	"kill-hup": "Signalling",
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

/** From systemd 247 to 257, sudo 1.8 and 1.9, OpenRC 0.45 and later; the first match counts. */
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
	if (scope === "openrc" && action === "kill-hup")
		return "Log in as root, or restart the service instead";
	const name = parseServiceUnit(scope, unit);
	const commands =
		scope === "openrc"
			? [`/sbin/rc-service ${name} restart`]
			: [`/usr/bin/systemctl restart -- ${name}`, `/usr/bin/systemctl ${HANG_UP} -- ${name}`];
	// These have a special meaning in sudoers(5).
	const escaped = commands.map((command) => command.replace(/[,:=\\]/g, "\\$&"));
	return `Add with visudo: ${user} ALL=(root) NOPASSWD: ${escaped.join(", ")}`;
}

function unusableUnit(text: string, hint: string): AiServerError {
	return new AiServerError("settings", `${JSON.stringify(text)} is not a service name`, {
		hint,
		setting: "serviceUnit",
	});
}
