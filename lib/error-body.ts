import { type JsonRecord, parseJson, recordOf, textOf } from "./json.ts";

/** What is in an error body, whichever of the servers behind the URL wrote it. */
export interface ServerError {
	/** The server's own message, unchanged: pi recognizes an overflow by it. */
	readonly message: string;
	/** llama-server's or the OpenAI object's `type`, such as "exceed_context_size_error". */
	readonly type: string | undefined;
	/** The number or name in `code`, if there is one. */
	readonly code: string | number | undefined;
	/** True when llama-swap (v218 and later) reports an error of its own, not of the model. */
	readonly fromProxy: boolean;
}

/**
 * Reads an error body: llama-swap's plain text (up to v217), its string (v218 to v250) and object
 * forms, llama-server's object, the bare one of older vLLMs and of SGLang, and `detail` of FastAPI. Undefined for an empty body.
 */
export function parseErrorBody(body: string): ServerError | undefined {
	const text = body.trim();
	if (text === "") return undefined;
	return errorFrom(parseJson(text)) ?? plain(text);
}

/** The same for a value that is already parsed; undefined when it holds no error. */
export function errorFrom(value: unknown): ServerError | undefined {
	const body = recordOf(value);
	if (body === undefined) return undefined;
	const fromProxy = body["src"] === "llama-swap";
	const error = body["error"];
	if (typeof error === "string") {
		return { message: error, type: undefined, code: undefined, fromProxy };
	}
	// Older vLLMs and SGLang write the object without one around it.
	const isBare = error === undefined && body["object"] === "error";
	const fields = isBare ? body : recordOf(error);
	if (fields !== undefined) {
		const { message, type, code } = fields;
		return {
			message: messageOf(message) ?? JSON.stringify(fields),
			type: typeof type === "string" ? type : undefined,
			code: typeof code === "string" || typeof code === "number" ? code : undefined,
			fromProxy,
		};
	}
	const message = messageOf(
		body["detail"] ?? (error === undefined ? bareMessage(body) : undefined),
	);
	if (message === undefined) return undefined;
	return { message, type: undefined, code: undefined, fromProxy: false };
}

/** Of proxies and clouds: `{"message": "..."}`, and nothing of an answer beside it. */
function bareMessage(body: JsonRecord): unknown {
	return "choices" in body || "role" in body ? undefined : textOf(body["message"]);
}

function messageOf(value: unknown): string | undefined {
	if (value === undefined || value === null || value === "") return undefined;
	return typeof value === "string" ? value : JSON.stringify(value);
}

/** Without the prefix that llama-swap puts before an error it has no number for. */
export function withoutPrefix(message: string): string {
	return message.replace(/^unspecific error: /, "");
}

function plain(text: string): ServerError {
	// v218 to v224 build their JSON without escaping, so a quote in the message breaks it.
	const unescaped = /^\{"src":"llama-swap", ?"error": ?"([\s\S]*)"\}$/.exec(text)?.[1];
	const message = unescaped ?? text.replace(/^llama-swap: /, "");
	const fromProxy = message !== text;
	return { message, type: undefined, code: undefined, fromProxy };
}
