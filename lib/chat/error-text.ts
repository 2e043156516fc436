import { parseFault, type ServerFault, withoutPrefix } from "../error-body.ts";
import { AiServerError, describeError } from "../errors.ts";
import { plainText } from "../text.ts";

// pi decides by the text of an error whether it tries again or compacts, so these words are an
// interface: "Connection error", "timed out" and the numbers 429, 500, 502, 503, 504 mean "again";
// "exceeds the available context size" and "context_length_exceeded" mean "compact".

/** llama-server answers 500 to these, though the request is at fault and will be at the next try. */
const REQUEST_FAULTS =
	/tool call arguments|image input is not supported|mmproj|audio input|jinja|template|tools? param|grammar|json schema|failed to parse|invalid (?:type|message|role)/i;
const UNKNOWN_MODEL =
	/no router for requested model|no local server found|could not find suitable inference handler|model (?:'[^']*' )?not found|no model id could be identified/i;
const LOAD_FAILURE =
	/unable to start process|upstream command exited|failed to start command|health check timed out|group: aborted|failed to load/i;
/** llama-swap was stopped, or read a new config.yaml, before the model was there. */
const INTERRUPTED = /interrupted due to shutdown|group is shutting down/i;
const UNLOADED = /group: model unloaded/i;
/** llama-server as a router that may not load models by itself. */
const NOT_LOADED = /^model is not loaded$/i;
/** Longest quotation of a server, in characters. */
const SAID_LIMIT = 1000;

/** Whether a failed load is what the answer is about, so that the model's log can say why. */
export function isLoadFailure(status: number, body: string): boolean {
	const fault = parseFault(body);
	return status >= 500 && fault !== undefined && isLoadFault(fault);
}

/** The same for an error inside a stream. */
export function isLoadFault({ message }: ServerFault): boolean {
	return LOAD_FAILURE.test(message) && !INTERRUPTED.test(message);
}

/** The error text for an HTTP status that is not 2xx. `why`: the last lines of the model's log. */
export function wordStatus(
	status: number,
	body: string,
	model: string,
	why: string | undefined,
): string {
	const fault = parseFault(withoutMarkup(body));
	const said = fault === undefined ? undefined : saidBy(fault);
	if (fault !== undefined && said !== undefined) {
		const overflow = wordOverflow(fault);
		if (overflow !== undefined) return `${status}: ${overflow}`;
		const words = wordModelFault(said, model, why);
		if (words !== undefined) return words;
		if (status >= 500 && !fault.fromProxy && REQUEST_FAULTS.test(said)) {
			return wordRequestFault(said);
		}
	}
	switch (status) {
		case 401:
		case 403:
			return final(`The server wants another API key (${said ?? status}). Check AI_SERVER_API_KEY`);
		case 404:
			return final(`The server has no chat here (${said ?? status}). Check AI_SERVER_URL`);
		case 421:
			return "The proxy does not serve this host name. AI_SERVER_URL must use the name in its certificate";
		case 502:
		case 504:
			return said === undefined
				? `${status}: the proxy answers, but llama-swap or the model behind it does not`
				: `${status}: ${said}`;
		default:
			break;
	}
	if (status >= 300 && status < 400) {
		return "The server redirects the chat elsewhere. Set AI_SERVER_URL to the address it ends at";
	}
	const text = `${status}: ${said ?? "the server said nothing more"}`;
	return status === 429 || status >= 500 ? text : final(text);
}

/** The error text for an error inside a stream whose status was 200. */
export function wordStreamFault(
	fault: ServerFault,
	model: string,
	why: string | undefined,
): string {
	const overflow = wordOverflow(fault);
	if (overflow !== undefined) return overflow;
	const said = saidBy(fault);
	const words = wordModelFault(said, model, why);
	if (words !== undefined) return words;
	if (REQUEST_FAULTS.test(said)) return wordRequestFault(said);
	const code = typeof fault.code === "number" ? `${fault.code}: ` : "";
	return code === "" ? `Server error: ${said}` : `${code}${said}`;
}

/** The error text for what was thrown on the way. */
export function wordFailure(error: unknown): string {
	const line = describeError(error);
	if (!(error instanceof AiServerError)) return line;
	switch (error.code) {
		case "network":
			return `Connection error: ${line}`;
		case "timeout":
			return line;
		case "settings":
		case "tls":
		case "http":
		case "ssh":
		case "config":
		case "protocol":
			return final(line);
		default:
			return error.code satisfies never;
	}
}

function wordOverflow({ message, type, code }: ServerFault): string | undefined {
	const said = plainText(message).trim();
	if (/exceeds the available context size|maximum context length is/i.test(said)) return said;
	const overflow =
		type === "exceed_context_size_error" ||
		code === "context_length_exceeded" ||
		/context size has been exceeded|exceeds? (?:the )?(?:available )?context/i.test(said);
	return overflow ? `${said} (context_length_exceeded)` : undefined;
}

/** A fault of the model as such, not of this request; undefined for any other. */
function wordModelFault(said: string, model: string, why: string | undefined): string | undefined {
	if (UNKNOWN_MODEL.test(said)) {
		return final(`The server does not know the model ${model} (${said}). Run /ai-server-refresh`);
	}
	if (NOT_LOADED.test(said)) {
		return final(`The model ${model} is not loaded, and the server loads none by itself (${said})`);
	}
	if (INTERRUPTED.test(said)) {
		return `Connection error: llama-swap was stopped or restarted while the model loaded (${said})`;
	}
	if (UNLOADED.test(said)) {
		const next = "Send the message again to load it";
		return final(`The model ${model} was unloaded while it was loading (${said}). ${next}`);
	}
	if (!LOAD_FAILURE.test(said)) return undefined;
	const reason = why === undefined || why === "" ? HINT_LOG : `Its log says: ${plainText(why)}`;
	return final(`The model ${model} could not be loaded (${said}). ${reason}`);
}

/** What helps against a fault of the request; most of these words already say it. */
const REMEDIES: readonly (readonly [RegExp, string])[] = [
	[/tool call arguments/i, "Go back before that call with /tree"],
	[/(?:image|audio) input/i, "Go back before it with /tree, or give the model its mmproj file"],
	[/requires --jinja/i, "Add it to the model's command"],
];

function wordRequestFault(said: string): string {
	const remedy = REMEDIES.find(([fault]) => fault.test(said))?.[1];
	const words = `The model's server cannot take this request: ${said}`;
	return final(remedy === undefined ? words : `${words}. ${remedy}`);
}

const HINT_LOG = "Look at the model's log on the server";

/** A server's words in one line, without what only its programmers can read. */
function saidBy({ message }: ServerFault): string {
	const said = plainText(withoutPrefix(message))
		.replace(/\[json\.exception\.\w+\.\d+\] /g, "")
		.replace(/; tools = [[{][\s\S]*$/, "")
		.replace(/\s+/g, " ")
		.trim();
	return said.length > SAID_LIMIT ? `${said.slice(0, SAID_LIMIT)}...` : said;
}

/**
 * A text that no host may take for a reason to try again. pi 0.87.1 looks for status numbers even
 * inside longer ones ("15000 tokens"), so a word joiner, which nobody sees, goes into those.
 */
function final(text: string): string {
	return text.replace(
		/4(?=29)|5(?=0[0234]|2[04])|t(?=ime(?:d )?out|erminated)|[sinc](?=(?:erver|nternal|etwork|onnection).?error)|c(?=onnection.?(?:refused|lost))|r(?=ate.?limit)|o(?=verloaded)/gi,
		"$&\u2060",
	);
}

/** The text of a proxy's HTML page; anything else as it is. */
function withoutMarkup(body: string): string {
	if (!/^\s*<(?:!doctype|html)/i.test(body)) return body;
	const title = /<title[^>]*>([^<]*)/i.exec(body)?.[1];
	const headed = body.replace(/<\/h1>/gi, ": ");
	const text = title ?? headed.replace(/<(style|script)[\s\S]*?<\/\1>|<[^>]*>/gi, " ");
	return text
		.replace(/ +(?=: )/g, "")
		.replace(/\s+/g, " ")
		.trim()
		.slice(0, 200);
}
