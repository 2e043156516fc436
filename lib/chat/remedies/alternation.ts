import type { JsonRecord } from "../../json.ts";
import { recordOf } from "../../json.ts";
import type { Refused } from "./refusal.ts";

const DEMAND = /roles? must alternate|must alternate|unexpected role|expected (?:last )?role/i;
/** Stands between the result of a tool and the user's next message. */
const BRIDGE = { role: "assistant", content: "I have seen the result." } as const;

/** Whether a refusal is about the order of the roles, and a bridge would change it. */
export function needsBridges({ request, message }: Refused): boolean {
	return DEMAND.test(message) && bridgeTools(request) !== request;
}

/**
 * The request with an answer between each result of a tool and a user's message behind it. Templates
 * that count roles (Mistral, Devstral) leave calls and results out of the count, so without an answer
 * two user messages follow each other there.
 */
export function bridgeTools(request: JsonRecord): JsonRecord {
	const messages = request["messages"];
	if (!Array.isArray(messages)) return request;
	const role = (message: unknown): unknown => recordOf(message)?.["role"];
	const bridged = messages.flatMap((message: unknown, at) =>
		role(message) === "user" && role(messages[at - 1]) === "tool" ? [BRIDGE, message] : [message],
	);
	return bridged.length === messages.length ? request : { ...request, messages: bridged };
}
