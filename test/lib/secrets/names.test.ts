import { expect, test } from "vitest";
import { isSecret } from "../../../lib/secrets/names.ts";

test.each([
	["apiKey", "1234"],
	["api_keys", "a"],
	["OPENAI_API_KEY", "a"],
	["HF_TOKEN", "a"],
	["hfToken", "a"],
	["db.password", "1"],
	["SSHPASS", "a"],
	["AWS_SECRET_ACCESS_KEY", "/a/b+c"],
	["my-token", "a"],
	["wandbKey", "a"],
])("the value of %s is a secret", (name, value) => {
	expect(isSecret(name, value)).toBe(true);
});

test.each([
	["input_cost_per_token", "0.0000002"],
	["eos_token", "end"],
	["my_token", "<|x|>"],
	["api_key", "<your key>"],
	["sortKey", "name"],
	["ssl-key", "/etc/ssl/a.pem"],
	["key", "5"],
	["use_token", "true"],
	["max_tokens", "abc"],
	["api-key-file", "a"],
	["apiKey", ""],
])("the value of %s (%s) is none", (name, value) => {
	expect(isSecret(name, value)).toBe(false);
});
