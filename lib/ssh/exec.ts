import type { Client, ClientChannel } from "ssh2";
import { AiServerError } from "../errors.ts";
import { openFault } from "./errors.ts";
import type { ExecOptions, ExecResult } from "./types.ts";

const DEFAULT_MAX_BYTES = 1024 * 1024;

/**
 * Runs a command to its end. ssh2 reports no error when the connection dies under a command: its
 * channel just closes, so that only an exit status or signal counts as an end. When `stop` comes the
 * channel is closed; the command itself may go on, as nothing can be relied on to end it.
 */
export function runCommand(
	client: Client,
	command: string,
	{ stdin = "", maxOutputBytes = DEFAULT_MAX_BYTES }: ExecOptions,
	stop: AbortSignal,
): Promise<ExecResult> {
	return new Promise((resolve, reject) => {
		client.exec(command, (error: Error | undefined, channel) => {
			if (error !== undefined) return reject(openFault(error) ?? refusal(error));
			// At once: the exit status may be in the packet that is being read.
			collect(channel, maxOutputBytes).then(resolve, reject);
			const close = (): void => channel.close();
			if (stop.aborted) close();
			stop.addEventListener("abort", close, { once: true });
			channel.end(stdin);
		});
	});
}

function refusal(cause: Error): AiServerError {
	return new AiServerError("ssh", "The SSH server does not run commands", {
		hint: "Look for ForceCommand or a restricted key on the server",
		cause,
	});
}

function collect(channel: ClientChannel, maxOutputBytes: number): Promise<ExecResult> {
	return new Promise((resolve, reject) => {
		const stdout: Buffer[] = [];
		const stderr: Buffer[] = [];
		let size = 0;
		let end: Pick<ExecResult, "code" | "signal"> | undefined;
		const take = (chunks: Buffer[]) => (chunk: Buffer) => {
			size += chunk.length;
			if (size <= maxOutputBytes) {
				chunks.push(chunk);
				return;
			}
			const fault = `The command's output is larger than ${maxOutputBytes} bytes`;
			reject(new AiServerError("ssh", fault, { hint: "Ask for less" }));
			channel.close();
		};
		channel.on("data", take(stdout));
		channel.stderr.on("data", take(stderr));
		// A command need not read its stdin to the end; what counts is how it ends.
		channel.on("error", () => undefined);
		channel.on("exit", (code: number | null, signal?: string) => {
			end = { code: code ?? undefined, signal };
		});
		channel.on("close", () => {
			if (end !== undefined) resolve({ ...end, stdout: text(stdout), stderr: text(stderr) });
			const fault = "The connection ended before the command did";
			const hint = "It may have run or not: look before trying again";
			reject(new AiServerError("ssh", fault, { hint }));
		});
	});
}

function text(chunks: readonly Buffer[]): string {
	return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Buffer.concat(chunks));
}
