import type { Client, ClientChannel } from "ssh2";
import { AiServerError } from "../errors.ts";
import { openError } from "./errors.ts";
import type { ExecResult } from "./types.ts";

/** Of stdout and stderr together. */
const MAX_OUTPUT_BYTES = 1024 * 1024;

/**
 * Runs a command to its end. ssh2 reports no error when the connection dies under a command: its
 * channel just closes, so that only an exit status or signal counts as an end. When `stop` aborts, the
 * channel is closed; the command itself may go on, as there is no dependable way to end it.
 */
export function runCommand(
	client: Client,
	command: string,
	stop: AbortSignal,
): Promise<ExecResult> {
	return new Promise((resolve, reject) => {
		client.exec(command, (error: Error | undefined, channel) => {
			if (error !== undefined) return reject(openError(error) ?? refusal(error));
			// At once: the exit status may be in the packet that is being read.
			collect(channel).then(resolve, reject);
			const close = (): void => channel.close();
			if (stop.aborted) close();
			stop.addEventListener("abort", close, { once: true });
			channel.end();
		});
	});
}

function refusal(cause: Error): AiServerError {
	return new AiServerError("ssh", "The SSH server does not run commands", {
		hint: "Check for ForceCommand or a restricted key on the server",
		cause,
	});
}

function collect(channel: ClientChannel): Promise<ExecResult> {
	return new Promise((resolve, reject) => {
		const stdout: Buffer[] = [];
		const stderr: Buffer[] = [];
		let size = 0;
		let end: Pick<ExecResult, "code" | "signal"> | undefined;
		const take = (chunks: Buffer[]) => (chunk: Buffer) => {
			size += chunk.length;
			if (size <= MAX_OUTPUT_BYTES) {
				chunks.push(chunk);
				return;
			}
			reject(
				new AiServerError("ssh", `The command printed more than ${MAX_OUTPUT_BYTES} bytes`, {
					hint: "Run it on the server to see the output",
				}),
			);
			channel.close();
		};
		channel.on("data", take(stdout));
		channel.stderr.on("data", take(stderr));
		// A command may close its stdin early; what counts is how it ends.
		channel.on("error", () => undefined);
		channel.on("exit", (code: number | null, signal?: string) => {
			end = { code: code ?? undefined, signal };
		});
		channel.on("close", () => {
			if (end !== undefined) resolve({ ...end, stdout: text(stdout), stderr: text(stderr) });
			reject(
				new AiServerError("ssh", "The SSH connection was lost before the command ended", {
					hint: "The command may have run; check the server before you try again",
				}),
			);
		});
	});
}

function text(chunks: readonly Buffer[]): string {
	return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Buffer.concat(chunks));
}
