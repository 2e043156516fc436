/**
 * Text of a server on its way to a terminal: control characters (C0, C1, DEL) and the
 * Unicode direction overrides become blanks, so that no answer can move the cursor or hide text.
 */
export function plainText(text: string): string {
	return text
		.replace(/\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|.)/g, "")
		.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, " ");
}

/** The same on one line, for messages and tables. */
export function oneLine(text: string): string {
	return plainText(text).replace(/\s+/g, " ").trim();
}
