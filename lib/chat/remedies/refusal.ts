import type { JsonRecord } from "../../json.ts";

/** A request that a server did not take, as far as a remedy looks into it. */
export interface Refused {
	readonly request: JsonRecord;
	/** The HTTP status, or the number in an error that came inside a stream. */
	readonly status: number | undefined;
	/** The server's message in one line. */
	readonly message: string;
	/** The whole body: some servers name the field outside of the message. */
	readonly body: string;
}
