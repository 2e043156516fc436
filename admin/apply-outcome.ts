import type { Admin } from "../admin.ts";
import type { AiServerError } from "../lib/errors.ts";
import type { ReloadMethod } from "../lib/llama-swap/api/reload.ts";

/** A new text of the config, and what it is to achieve. */
export interface ConfigChange {
	/** The model's own id, not an alias. */
	readonly id: string;
	/** Tokens. */
	readonly size: number;
	/** True when the model is loaded now. */
	readonly loaded: boolean;
	readonly oldText: string;
	/** Equal to the old one where the file is right already, and llama-swap has not read it. */
	readonly newText: string;
}

export type ApplyStep = "unload" | "write" | "reload" | "restart" | "load" | "load-old";

/** What applying a config does and asks outside of this file. */
export interface ApplyEffects {
	readonly admin: Pick<
		Admin,
		| "listRunning"
		| "load"
		| "unload"
		| "readProps"
		| "writePreset"
		| "version"
		| "watchReload"
		| "reloadBySignal"
		| "restart"
	>;
	/**
	 * Asked before llama-swap is made to read its config: it ends everything that is loaded. `failed`
	 * is why a signal could not be sent, when a restart is what is left.
	 */
	mayReload(method: ReloadMethod, failed?: AiServerError): Promise<boolean>;
	/** Called around each step. */
	progress<T>(step: ApplyStep, work: () => Promise<T>): Promise<T>;
	/** Something that could not be tidied up on the server. */
	note(text: string): void;
	wait(milliseconds: number): Promise<void>;
}

export type ApplyOutcome = Ready | Unread | Refused;

/** The model runs with the size. */
export interface Ready {
	readonly kind: "ready";
	/** Tokens that the model's server gives a request; undefined where it does not report them. */
	readonly given: number | undefined;
	/** True when the model's own server has confirmed the size: its command only repeats the config. */
	readonly verified: boolean;
}

/** The file is right, and llama-swap was not made to read it. */
export interface Unread {
	readonly kind: "unread";
	/** What has become of the model: it runs with its old size where it had to be loaded to see. */
	readonly model: "untouched" | "unloaded" | "runs-as-before";
	/** Why the server refused to make llama-swap read it; undefined when the user declined. */
	readonly error: AiServerError | undefined;
}

/** The config cannot stay. */
export interface Refused {
	readonly kind: "refused";
	readonly reason: Reason;
	/** Undefined where nothing had been written. */
	readonly restored: Restored | undefined;
}

export type Reason =
	/** llama-swap keeps its old config; `line` is its log's. */
	| { readonly kind: "rejected"; readonly line: string }
	/** llama-swap was restarted and does not answer. */
	| { readonly kind: "down"; readonly error: AiServerError }
	/** The model's server ended before it was ready. */
	| { readonly kind: "not-started"; readonly error: AiServerError }
	/** The model runs, but not with the size. */
	| { readonly kind: "no-effect" };

/** What became of the attempt to put the old text back. */
export type Restored =
	| { readonly kind: "restored"; readonly model: "untouched" | "loaded" }
	| { readonly kind: "restored-but-unloaded"; readonly error: unknown }
	| { readonly kind: "restored-but-down"; readonly error: AiServerError }
	| { readonly kind: "failed"; readonly error: unknown };
