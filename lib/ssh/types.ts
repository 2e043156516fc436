import type { PathSource } from "./files/read.ts";
import type { Sftp } from "./files/sftp.ts";

/** Where to log in. */
export interface SshTarget {
	/** Undefined: the one in OpenSSH's config, else the local user's name. */
	readonly user: string | undefined;
	/** A name, an address or a Host alias of OpenSSH's config. */
	readonly host: string;
	/** Undefined: the one in OpenSSH's config, else 22. */
	readonly port: number | undefined;
}

/**
 * The SSH connection to the server. Every method rejects with AiServerError ("ssh", "timeout",
 * "settings") or with the signal's reason, also when the connection is lost.
 */
export interface Ssh {
	/** The target as the user named it, for messages. */
	readonly target: string;
	/** A whole file over SFTP; a leading "~/" is the remote home. */
	readFile(path: string, options: ReadFileOptions): Promise<Uint8Array>;
	/** Bytes of a file over SFTP; fewer than `length` where the file ends. */
	readRange(
		path: string,
		start: number,
		length: number,
		options?: OperationOptions,
	): Promise<Uint8Array>;
	/** Runs a command in the login shell, without input. Rejects unless the server reported its end. */
	exec(command: string, options?: OperationOptions): Promise<ExecResult>;
	/**
	 * Lends an SFTP session and ends it afterwards. What `run` rejects with is passed on; a server
	 * without SFTP is a NoSftpError. On an abort, a deadline or a lost connection it rejects at once,
	 * and so does every request that `run` still waits for.
	 */
	withSftp<T>(run: (sftp: Sftp) => Promise<T>, options?: OperationOptions): Promise<T>;
	close(): void;
}

export interface OperationOptions {
	readonly signal?: AbortSignal | undefined;
	/** For the operation alone, without the login; 15 s by default. */
	readonly deadlineMs?: number;
}

export interface ReadFileOptions extends OperationOptions, PathSource {
	/** Larger files are refused. */
	readonly maxBytes: number;
}

export interface ExecResult {
	/** Undefined when a signal ended the command. */
	readonly code: number | undefined;
	/** Such as "SIGKILL". */
	readonly signal: string | undefined;
	readonly stdout: string;
	readonly stderr: string;
}

/** A host key that is in no known_hosts file. */
export interface HostKeyQuestion {
	/** As known_hosts names it: "box" or "[box]:2222". */
	readonly host: string;
	/** "SHA256:..." */
	readonly fingerprint: string;
	/** "ssh-ed25519" and the like. */
	readonly keyType: string;
	/** True when a @cert-authority line covers the host: certificates are not supported. */
	readonly onlyAuthority: boolean;
}

/** How questions reach the user. Without them an unknown host key is refused and an encrypted key skipped. */
export interface SshPrompts {
	/** True records the key; anything else refuses it. */
	readonly confirmHostKey?: (question: HostKeyQuestion) => Promise<boolean | undefined>;
	/** `attempt` counts from 1; undefined when no answer is given. */
	readonly askPassphrase?: (path: string, attempt: number) => Promise<string | undefined>;
	/** One line that the user may want to know; nothing failed. */
	readonly onNote?: (note: string) => void;
}
