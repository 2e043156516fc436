import { expect, test } from "vitest";
import { paraphrase } from "../../../../lib/chat/errors/paraphrase.ts";

test.each([
	["health check timed out after 2m0s", "it was not healthy within 2m0s"],
	["i/o timeout", "i/o took too long"],
	["connect ECONNREFUSED 10.0.0.1:80", "the connection to 10.0.0.1:80 was refused"],
	[
		"dial tcp 127.0.0.1:9: connect: connection refused",
		"dial tcp 127.0.0.1:9: connect: the connection was refused",
	],
	["recv failed: Connection reset by peer", "recv failed: the connection was reset"],
	["getaddrinfo ENOTFOUND box.lan", "the name box.lan was not found"],
	["signal: terminated", "signal: ended"],
	["Internal Server Error", "error inside the server"],
	["nothing known", "nothing known"],
	["determined", "determined"],
])("%s becomes %s", (text, words) => {
	expect(paraphrase(text)).toBe(words);
});
