/**
 * Phrases that servers use in errors which another try does not cure, and that pi takes for a reason
 * to try again. Only common ones: what is missing here is left out of the error, not misread.
 */
const OTHER_WORDS: readonly (readonly [RegExp, string])[] = [
	[/\bhealth check timed out after (\S+)/gi, "it was not healthy within $1"],
	[/\btimed? out after (\S+)/gi, "took longer than $1"],
	[/\btim(?:ed? out|eout)\b/gi, "took too long"],
	[/\bconnect ECONNREFUSED (\S+)/gi, "the connection to $1 was refused"],
	[/\b(?:ECONNREFUSED|connection refused)\b/gi, "the connection was refused"],
	[/\b(?:read )?(?:ECONNRESET|connection reset by peer)\b/gi, "the connection was reset"],
	[/\bECONNABORTED\b/gi, "the connection was aborted"],
	[/\b(?:connect )?ETIMEDOUT\b/gi, "no answer in time"],
	[/\bEPIPE\b/gi, "broken pipe"],
	[/\bconnection (lost|closed)\b/gi, "the connection was $1"],
	[/\b(connection|network) error\b/gi, "error of the $1"],
	[/\binternal (server )?error\b/gi, "error inside the server"],
	[/\bserver[ _]error\b/gi, "error of the server"],
	[/\bsocket hang up\b/gi, "the other side hung up"],
	[/\bother side closed\b/gi, "closed by the other side"],
	[/\bgetaddrinfo (?:ENOTFOUND|EAI_AGAIN) (\S+)/gi, "the name $1 was not found"],
	[/\bfetch failed\b/gi, "the fetch did not succeed"],
	[/\bservice (?:is )?(?:temporarily )?unavailable\b/gi, "the service is not available"],
	[/\btoo many requests\b/gi, "more requests than allowed"],
	[/\brate limit\b/gi, "limit on requests"],
	[/\boverloaded\b/gi, "under too much load"],
	[/\bterminated\b/gi, "ended"],
	[/\bended without\b/gi, "stopped without"],
];

export function paraphrase(text: string): string {
	return OTHER_WORDS.reduce((result, [phrase, words]) => result.replace(phrase, words), text);
}
