import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { contextWindowOf } from "../../../lib/llama-server/context-window.ts";
import { readLaunch } from "../../../lib/llama-server/launch.ts";

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

interface Case {
	readonly id: string;
	readonly cmd?: string;
	readonly trained?: number;
	readonly window: number | null;
}

/** Commands that came out wrong once; right is what their server really gives a request. */
const CASES: readonly Case[] = JSON.parse(
	readFileSync(new URL("../../fixtures/cases/commands.json", import.meta.url), "utf8"),
);

/** Further ones of each kind. */
const MORE_CASES: readonly Case[] = (
	[
		["sudo nice vllm serve m --max-model-len 1000", 1000],
		["toolbox run --container rocm sh -lc 'exec llama-server -c 8192 -np 1'", 8192],
		["toolbox -y run -c rocm llama-server -m q.gguf", null],
		["distrobox enter -n box -- llama-server -m q.gguf -c 4096 -np 1", 4096],
		["distrobox-enter box -e llama-server -c 4096 -np 1", 4096],
		["zsh -lic 'llama-server -c 8192 -np 1'", 8192],
		["bash -euo pipefail -c 'llama-server -c 8192 -np 1'", 8192],
		["bash --login -c 'llama-server -c 8192 -np 1'", 8192],
		["pwsh -NoProfile -Command 'llama-server -c 8192 -np 1'", 8192],
		["ssh -c aes128-ctr -p 22 me@gpu llama-server -m q.gguf -c 8192 -np 1", 8192],
		["ssh -c aes128-ctr gpu 'cd /opt && ./llama-server -m q.gguf'", null],
		["sshpass -f /run/pw ssh gpu 'nohup llama-server -c 8192 -np 1 > log 2>&1 &'", 8192],
		["nix-shell -p llama-cpp python3 --command 'llama-server -c 8192 -np 1'", 8192],
		["nix develop .#gpu --command llama-server -c 8192 -np 1", 8192],
		["nix run nixpkgs#llama-cpp -- -m q.gguf -c 8192 -np 1", 8192],
		["wsl.exe --distribution Ubuntu --exec /opt/llama-server -c 8192 -np 1", 8192],
		["wsl -- 'llama-server -c 8192 -np 1'", 8192],
		['cmd.exe /s /k "C:\\llama\\llama-server.exe -m C:\\m\\q.gguf -c 8192 -np 1"', 8192],
		["cmd /c C:\\llama\\llama-server.exe -c 8192 -np 1", 8192],
		["singularity exec -C --bind /m:/m l.sif llama-server -m q.gguf -c 8192 -np 1", 8192],
		["apptainer run --env LLAMA_ARG_CTX_SIZE=8192,LLAMA_ARG_N_PARALLEL=1 llama.cpp.sif -m q", 8192],
		["env -iS 'A=1 nice -n 5 llama-server -c 8192 -np 1'", 8192],
		["env --split-string='llama-server -c 8192 -np 1'", 8192],
		["su - llm -c 'llama-server -c 8192 -np 1'", 8192],
		["script -qefc 'llama-server -c 8192 -np 1' /dev/null", 8192],
		["conda run -n ai --no-capture-output vllm serve m --max-model-len 8192", 8192],
		["some-wrapper 7 llama-server -c 8192 -np 1", 8192],
		["some-wrapper --now 'llama-server -c 8192 -np 1'", 8192],
		["sh -c 'pkill llama-server; sleep 1; exec llama-server -c 8192 -np 1'", 8192],
		["sh -c 'command -v llama-server >/dev/null && llama-server -c 8192 -np 1'", 8192],
		[
			"sh -c '/srv/vllm/tune 210 || true; llama-server -c 8192 -np 1 2>&1 | tee /m/llama/log'",
			8192,
		],
		["sh -c 'if [ -x /bin/llama-server ]; then exec llama-server -c 8192 -np 1; fi'", 8192],
		["sh -c 'until llama-server -c 8192 -np 1; do sleep 1; done'", 8192],
		["sh -c '{ export LLAMA_ARG_N_PARALLEL=1; llama-server -c 8192; }'", 8192],
		["sh -c 'llama-server -m q.gguf # -c 8192'", null],
		["sh -c 'llama-server -c $(cat /etc/ctx || echo 8192) -np 1'", undefined],
		[
			"podman run --rmi --env-host -eLLAMA_ARG_CTX_SIZE=8192 -itp 80:80 llama.cpp:server -np 1",
			8192,
		],
		["podman run --tls-verify -u0 --env LLAMA_ARG_CTX_SIZE=8192 llama.cpp:server -np 1", 8192],
		["docker run -dit --some-switch -v /m:/m ghcr.io/x/llama.cpp:server-cuda -c 8192 -np 1", 8192],
		["docker run vllm/vllm-openai org/m --max-model-len 8192", 8192],
		["docker exec -it -e A=1 box bash -lc 'llama-server -c 8192 -np 1'", 8192],
		["uv run -m llama_cpp.server --model q.gguf", 2048],
		["python3 -m llama_cpp.server --model q.gguf --n_ctx 0", null],
		["docker run -e N_CTX=4096 ghcr.io/abetlen/llama-cpp-python:latest", 4096],
		["python -m llama_cpp.server --config_file c.json", undefined],
		["koboldcpp-linux-x64 --model q.gguf", 4096],
		["python koboldcpp.py --contextsize 16384", 16384],
		["python3 -m sglang.launch_server --model-path m --context_length 8192", 8192],
		["vllm serve m --max_model_len=8K", 8192],
		["vllm serve m -c 512 --max-model-len 8192", 8192],
		["mistralrs-server --port 1 --max-seq-len 8192 run -m m", 8192],
		["docker run -e MAX_TOTAL_TOKENS=8192 ghcr.io/huggingface/text-generation-inference:3", 8192],
		["llama-server -c 8192 -np 1 --ctx_size 4096", 4096],
		["llama-server --ctx_size=4096 --kv_unified_per_slot 512", 512],
		["./serve.sh --max-model-len 8192 --ctx-size 4096", 4096],
		["./serve.sh -c config.yaml", null],
		["bash ./serve-vllm.sh 4096", null],
	] as const
).map(([cmd, window]) => ({ id: "more", cmd, window: window as number | null }));

test.each([...CASES, ...MORE_CASES].filter(({ cmd }) => cmd !== undefined))(
	"$id: $cmd",
	({ cmd = "", trained = 131_072, window }) => {
		const expected = window === null ? trained : window;
		expect(contextWindowOf(readLaunch(cmd), trained)).toBe(expected);
	},
);

test.each([
	["llama-server -c 1", "llama-server"],
	["sudo nice vllm serve m", "vllm"],
	["./serve-llama-server.sh -c 1", undefined],
	["bash ./serve-vllm.sh --max-model-len 1", undefined],
	["python main.py --max-seq-len 32768", undefined],
	["run-llama-server -c 1", undefined],
	["docker run image -c 1", undefined],
])("%s is started by the server %s", (cmd, server) => {
	expect(readLaunch(cmd).server).toBe(server);
});
