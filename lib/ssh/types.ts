import type { SFTPWrapper } from "ssh2";

/** What AI_SERVER_SSH_HOST names. */
export interface SshTarget {
	/** Undefined: what OpenSSH's config says, else the local user's name. */
	readonly user: string | undefined;
	/** A name, an address or a Host alias of OpenSSH's config. */
	readonly host: string;
	/** Undefined: what OpenSSH's config says, else 22. */
	readonly port: number | undefined;
}

/**
 * The connection to the box for administration. Every method throws AiServerError ("ssh", "timeout",
 * "settings") or the signal's reason, and rejects when the connection is lost.
 */
export interface Ssh {
	/** The target as the user named it, for messages. */
	readonly target: string;
	/** A text file by SFTP; a leading "~/" is the remote home. */
	readFile(path: string, options?: ReadFileOptions): Promise<string>;
	/** Bytes of a file by SFTP; fewer than `length` where the file ends. */
	readRange(
		path: string,
		start: number,
		length: number,
		options?: OperationOptions,
	): Promise<Uint8Array>;
	/** Runs a command in the login shell. Rejects unless the server said how it ended. */
	exec(command: string, options?: ExecOptions): Promise<ExecResult>;
	/**
	 * Lends an SFTP session and ends it afterwards. What `run` throws is passed on; a server without
	 * SFTP is a NoSftpError. On an abort, a deadline or a lost connection it rejects at once, and no
	 * call that `run` still waits for is answered with success.
	 */
	withSftp<T>(run: (sftp: SFTPWrapper) => Promise<T>, options?: OperationOptions): Promise<T>;
	close(): void;
}

export interface OperationOptions {
	readonly signal?: AbortSignal | undefined;
	/** For the operation alone, without the login; 15 s by default. */
	readonly deadlineMs?: number;
}

export interface ReadFileOptions extends OperationOptions {
	/** Larger files are refused; default 1 MiB. */
	readonly maxBytes?: number;
}

export interface ExecOptions extends OperationOptions {
	readonly stdin?: Uint8Array | string;
	/** Of stdout and stderr together; more is refused. Default 1 MiB. */
	readonly maxOutputBytes?: number;
}

export interface ExecResult {
	/** Undefined when a signal ended the command. */
	readonly code: number | undefined;
	/** Such as "SIGKILL". */
	readonly signal: string | undefined;
	readonly stdout: string;
	readonly stderr: string;
}

/** A host key that no known_hosts file has. */
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

/** How questions reach a person. Without them an unknown key is refused and an encrypted one left out. */
export interface SshPrompts {
	/** True records the key; anything else refuses it. */
	readonly confirmHostKey?: (question: HostKeyQuestion) => Promise<boolean | undefined>;
	/** `attempt` counts from 1; undefined when there is nobody to ask, or nobody wants to answer. */
	readonly askPassphrase?: (path: string, attempt: number) => Promise<string | undefined>;
	/** One line that a person may want to know; nothing failed. */
	readonly onNote?: (note: string) => void;
}
