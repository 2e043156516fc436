import type { Rpc } from "./pi.ts";

/** Types a command and answers the questions that it asks, in turn; resolves with the questions. */
export async function typed(
	client: Rpc,
	message: string,
	answers: readonly boolean[] = [],
): Promise<readonly string[]> {
	const questions: string[] = [];
	let from = client.lines.length;
	const done = client.send({ type: "prompt", message });
	for (const confirmed of answers) {
		const question = await client.waitFor(({ method }) => method === "confirm", from);
		from = client.lines.indexOf(question) + 1;
		questions.push(`${question["title"]} ${question["message"]}`);
		client.answer(question["id"], { confirmed });
	}
	await done;
	return questions;
}
