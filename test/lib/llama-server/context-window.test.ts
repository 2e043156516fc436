import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { contextWindowOf } from "../../../lib/llama-server/context-window.ts";
import { readLaunch } from "../../../lib/llama-server/options.ts";

interface Row {
	readonly args: string;
	readonly env: Readonly<Record<string, string>>;
	/** Tokens of one slot, where the server started. */
	readonly props_n_ctx?: number;
	readonly error?: string;
}

const FIXTURE = new URL("../../fixtures/llama-server.jsonl.gz", import.meta.url);
const TRAINED = 4096;

function measuredRows(): readonly Row[] {
	const lines = gunzipSync(readFileSync(FIXTURE)).toString("utf8").trim().split("\n");
	const table = lines.find((line) => line.includes('"context-size-table.json"'));
	return (JSON.parse(table ?? "") as { readonly data: { readonly rows: Row[] } }).data.rows;
}

/** What the measured server refuses to start with. */
const REFUSED: Readonly<Record<string, number | undefined>> = {
	"-c -5": undefined,
	"--ctx-size=2048": 2048, // other servers take it
};

test("the measured table is there", () => {
	expect(measuredRows()).toHaveLength(36);
});

test.each(measuredRows())("a real server with $args $env", ({ args, env, props_n_ctx, error }) => {
	const options = readLaunch(
		`llama-server -m tiny.gguf ${args}`,
		Object.entries(env).map(([name, value]) => `${name}=${value}`),
	);
	const expected = error === undefined ? props_n_ctx : REFUSED[args];
	expect(contextWindowOf(options, TRAINED)).toBe(expected);
});

test.each<[string, number | undefined, number | undefined]>([
	["llama-server", undefined, undefined],
	["llama-server", 131072, 131072],
	["llama-server -c 0", undefined, undefined],
	["llama-server -c 0 -fitc 512 -fitt 1", 131072, 131072],
	["llama-server -fitt 2048", 131072, 131072],
	["llama-server -fit off -fitc 512 -fitt 1", 131072, 131072],
	["llama-server -fitc 32768 -fitt 2048", undefined, 32768],
	["llama-server -c 8192", undefined, 8192],
	["llama-server -c 8192 -np 2", undefined, 4096],
	["llama-server -c 8192 -np 2 -kvu", 131072, 8192],
	["llama-server -c 8192 -np x", 131072, undefined],
	["llama-server -c 8192 -np x -kvu", 131072, 8192],
	["llama-server -c ${env.CTX}", 131072, undefined],
	["llama-server -np 8", 1000, 1000],
	["llama-server --kv-unified-per-slot 512", undefined, 512],
	["llama-server --kv-unified-per-slot 8192", 4096, 4096],
	["llama-server --kv-unified-per-slot y -c 4096", 131072, undefined],
	["llama-server -c 300000 --rope-scale 4", 65536, 262144],
	["llama-server --rope-scale 4", 65536, 65536],
	["llama-server -c 65536 --override-kv llama.context_length=int:x", 4096, 65536],
	["vllm serve m --max-model-len 5000", undefined, 5000],
	["vllm serve m --max-model-len 5000", 4096, 5000],
	["vllm serve m --max-model-len auto", 4096, 4096],
	["vllm serve m --max-model-len x", 4096, undefined],
	["vllm serve m", undefined, undefined],
])("%s of a model trained for %s tokens takes %s", (cmd, trained, window) => {
	expect(contextWindowOf(readLaunch(cmd), trained)).toBe(window);
});
