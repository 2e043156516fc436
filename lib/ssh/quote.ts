import { AiServerError } from "../errors.ts";

/**
 * One word of a command that the remote login shell reads as it stands. Backslashes are kept out of
 * the quotes, because fish gives them a meaning there and POSIX shells do not.
 * Throws AiServerError "settings" for a word that no shell can hold.
 */
export function shellQuote(word: string): string {
	if (word.includes("\0")) {
		throw new AiServerError("settings", `A NUL character in ${JSON.stringify(word)}`, {
			hint: "Check the settings for it",
		});
	}
	return `'${word.replace(/['\\]/g, (special) => `'\\${special}'`)}'`;
}
