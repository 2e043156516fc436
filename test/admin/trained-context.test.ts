import { expect, test } from "vitest";
import { readTrainedContext } from "../../admin/trained-context.ts";

const YAML = "models:\n  m:\n    aliases: [alias]\n    cmd: llama-server -m /m.gguf -c 4096\n";
const unread = async (): Promise<never> => {
	throw new Error("no such file");
};
const models = async (): Promise<string> => '{"data":[{"meta":{"n_ctx_train":32768}}]}';

test("a model whose file cannot be read says it itself when it is loaded", async () => {
	const asked: string[] = [];
	const isReady = async (id: string): Promise<boolean> => asked.push(id) > 0;
	const sources = { readRange: unread, isReady, models };
	expect(await readTrainedContext("alias", YAML, sources)).toBe(32_768);
	expect(asked).toEqual(["m"]);
});

test("one that is not loaded is not asked, as that would load it", async () => {
	const sources = { readRange: unread, isReady: async () => false, models: unread };
	await expect(readTrainedContext("m", YAML, sources)).rejects.toMatchObject({
		code: "config",
		hint: "Load it first, or give a number",
	});
});
