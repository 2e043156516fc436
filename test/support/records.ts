import { readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";

/** An exchange with a real server, as it was recorded. */
export interface Exchange {
	readonly kind: "exchange";
	readonly id: string;
	readonly config: string;
	readonly request: {
		readonly method: string;
		readonly path: string;
		/** null: the client left this header out. */
		readonly headers?: Readonly<Record<string, string | null>>;
		readonly body?: unknown;
		readonly bodyText?: string;
	};
	readonly status: number;
	readonly head: string;
	readonly body: string;
	/** Where the body is not UTF-8. */
	readonly bodyBase64?: string;
}

export interface ConfigRecord {
	readonly kind: "config";
	readonly name: string;
	readonly text: string;
}

export interface Records {
	readonly exchanges: readonly Exchange[];
	/** Text of a config file by its name in the exchanges. */
	config(name: string): string;
}

export async function readRecords(name: string): Promise<Records> {
	const packed = await readFile(new URL(`../fixtures/${name}.jsonl.gz`, import.meta.url));
	const lines = gunzipSync(packed).toString("utf8").trim().split("\n");
	const records = lines.map((line) => JSON.parse(line) as Exchange | ConfigRecord);
	const configs = records.filter((record) => record.kind === "config");
	return {
		exchanges: records.filter((record) => record.kind === "exchange"),
		config(wanted) {
			const found = configs.find((record) => record.name === `config-${wanted}.yaml`);
			if (found === undefined) throw new Error(`no config ${wanted} in ${name}`);
			return found.text;
		},
	};
}

/** A header of a recorded response, by its lower-case name. */
export function recordedHeader({ head }: Exchange, name: string): string | undefined {
	const line = head.split("\r\n").find((text) => text.toLowerCase().startsWith(`${name}:`));
	return line?.slice(name.length + 1).trim();
}
