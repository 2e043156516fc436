import { expect, test } from "vitest";
import { maskSecrets } from "../../../lib/llama-swap/mask-secrets.ts";

test.each([
	[
		"apiKeys:\n  - sk-one\n  - \"sk-two\" # hers\n# none\n  - 'sk-3'\nmodels: {}",
		"apiKeys:\n  - ***\n  - \"***\" # hers\n# none\n  - '***'\nmodels: {}",
	],
	["apiKeys:\n- sk-one\nmodels:\n  - kept", "apiKeys:\n- ***\nmodels:\n  - kept"],
	["apiKeys:\n  - ${env.KEY}\n  - sk-1", "apiKeys:\n  - ${env.KEY}\n  - ***"],
	['apiKeys: [sk-one, "sk-two"] # all\nmodels:', "apiKeys: [***] # all\nmodels:"],
	["apiKeys: [\n  sk-one,\n  sk-two ]\nmodels:", "apiKeys: [***\n  ***\n  ***]\nmodels:"],
	["    cmd: llama-server --api-key sk-1 -c 1", "    cmd: llama-server --api-key *** -c 1"],
	["    cmd: llama-server --api-key=sk-1 -c 1", "    cmd: llama-server --api-key=*** -c 1"],
	['    cmd: llama-server --api-key "sk-1" -c 1', '    cmd: llama-server --api-key "***" -c 1'],
	["      --api-key\n      sk-1\n      -c 1", "      --api-key\n      ***\n      -c 1"],
	["      --api-key \\\n      sk-1 \\\n      -c 1", "      --api-key \\\n      *** \\\n      -c 1"],
	["--api-key-file /run/keys", "--api-key-file /run/keys"],
	["--api-key ${env.KEY}", "--api-key ${env.KEY}"],
	[
		'    env: ["HF_TOKEN=hf_abc", "CUDA_VISIBLE_DEVICES=0"]',
		'    env: ["HF_TOKEN=***", "CUDA_VISIBLE_DEVICES=0"]',
	],
	["      - LLAMA_API_KEY=abc", "      - LLAMA_API_KEY=***"],
	["cmd: env DB_PASSWORD='x y' run", "cmd: env DB_PASSWORD='***' run"],
	["    apiKey: sk-or-v1 # the router's", "    apiKey: *** # the router's"],
	["    apiKey: 'sk or v1'", "    apiKey: '***'"],
	["    apiKey: ${env.OPENROUTER}", "    apiKey: ${env.OPENROUTER}"],
	["peers: {a: {proxy: http://h, apiKey: sk-1}}", "peers: {a: {proxy: http://h, apiKey: ***}}"],
	["      Authorization: Bearer abc.def", "      Authorization: Bearer ***"],
	[
		"    cmd: llama-server --ctx-size 4096 --max-tokens 5",
		"    cmd: llama-server --ctx-size 4096 --max-tokens 5",
	],
	["    setParams:\n      max_tokens: 100", "    setParams:\n      max_tokens: 100"],
	[
		"# tokenizer: fast\nmodels:\n  token-maker:\n    cmd: x",
		"# tokenizer: fast\nmodels:\n  token-maker:\n    cmd: x",
	],
])("%j", (text, shown) => {
	expect(maskSecrets(text)).toBe(shown);
	expect(maskSecrets(shown)).toBe(shown);
});
