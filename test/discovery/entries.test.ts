import { expect, test } from "vitest";
import { isShardArtefact } from "../../discovery/entries.ts";

test.each([
	["model-00002-of-00003.gguf", true],
	["Model-Q4-00003-of-00003", true],
	["model-00001-of-00003.gguf", false], // the part that is loaded, and loads the others
	["model-2-of-3", false],
	["plain-model", false],
])("shard artefact %s: %s", (id, answer) => {
	expect(isShardArtefact(id)).toBe(answer);
});
