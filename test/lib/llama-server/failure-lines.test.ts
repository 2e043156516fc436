import { expect, test } from "vitest";
import { tellingLines } from "../../../lib/llama-server/failure-lines.ts";

test.each([
	[
		`0.00.002.098 I srv  llama_server: initializing ...
0.00.018.305 E cmn  common_init_: failed to load model '/models/broken.gguf'
0.00.018.306 E srv    load_model: failed to load model, '/models/broken.gguf'
0.00.018.308 I srv    operator(): operator(): cleaning up before exit...
0.00.018.752 E srv  llama_server: exiting due to model loading error
`,
		"failed to load model, '/models/broken.gguf'; exiting due to model loading error",
	],
	["ggml_cuda: out of memory\n", "ggml_cuda: out of memory"],
	["one\ntwo\nthree\n", "two; three"],
	["error: invalid argument: --nope\n", "error: invalid argument: --nope"],
	["\u001b[31mfailed\u001b[0m\n", "failed"],
	["", undefined],
	["\n \n", undefined],
])("of %j it tells %j", (log, words) => {
	expect(tellingLines(log)).toBe(words);
});
