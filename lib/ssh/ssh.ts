/** What AI_SERVER_SSH_HOST names. */
export interface SshTarget {
	/** Undefined: the local user's name, as OpenSSH does. */
	readonly user: string | undefined;
	readonly host: string;
	readonly port: number;
}

/** The connection to the box for administration. Every method throws AiServerError ("ssh") or the signal's reason. */
export interface Ssh {
	/** A text file by SFTP; a leading "~/" is the remote home. */
	readFile(path: string, options?: ReadFileOptions): Promise<string>;
	close(): void;
}

export interface ReadFileOptions {
	/** Larger files are refused; default 1 MiB. */
	readonly maxBytes?: number;
	readonly signal?: AbortSignal | undefined;
}
