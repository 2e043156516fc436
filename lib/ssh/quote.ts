import { AiServerError } from "../errors.ts";

/**
 * Quotes one word of a command for the remote login shell. Backslashes are kept out of the quotes,
 * because fish gives them a meaning there and POSIX shells do not. Throws AiServerError "settings" for
 * a word that cannot be passed to a command.
 */
export function shellQuote(word: string): string {
	if (word.includes("\0")) {
		throw new AiServerError("settings", `${JSON.stringify(word)} contains a NUL character`, {
			hint: "Remove it from the settings",
		});
	}
	return `'${word.replace(/['\\]/g, (special) => `'\\${special}'`)}'`;
}
