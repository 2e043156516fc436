import type { ExtensionContext } from "@earendil-works/pi-coding-agent";
import type { SshPrompts } from "../lib/ssh/types.ts";

type Asked = Pick<ExtensionContext, "hasUI" | "ui">;

/** How SSH asks the user whose command needs it. */
export interface Questions {
	readonly prompts: SshPrompts;
	/** Prompts are shown only while a command runs, and only in modes that can prompt. */
	during<T>(context: Asked, run: () => Promise<T>): Promise<T>;
}

export function createQuestions(): Questions {
	const commands: Asked[] = [];
	const ui = (): Asked["ui"] | undefined => commands.at(-1)?.ui;
	return {
		prompts: {
			confirmHostKey: async ({ host, fingerprint, keyType, onlyAuthority }) =>
				ui()?.confirm(
					`Trust the host key of ${host}?`,
					[
						`It was never seen before: ${keyType} ${fingerprint}.`,
						...(onlyAuthority
							? ["known_hosts has a @cert-authority, which is not supported."]
							: []),
						"Compare it with ssh-keygen -lf on the server. Yes adds it to known_hosts.",
					].join(" "),
				),
			askPassphrase: async (path, attempt) =>
				ui()?.input(
					attempt === 1 ? `Passphrase for ${path}` : `Wrong. Passphrase for ${path}, once more`,
				),
			onNote: (note) => ui()?.notify(note, "warning"),
		},
		async during(context, run) {
			if (!context.hasUI) return run();
			commands.push(context);
			try {
				return await run();
			} finally {
				commands.splice(commands.lastIndexOf(context), 1);
			}
		},
	};
}
