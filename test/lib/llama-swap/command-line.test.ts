import { expect, test } from "vitest";
import { extractCtxFromRunningCmd, splitCommand } from "../../../lib/llama-swap/command-line.ts";

test.each([
	["llama-server --model a.gguf --ctx-size 262144 --temp 0.7", 262144],
	["llama-server -c 8192", 8192],
	["llama-server\n  --model a.gguf\n  --ctx-size 4096\n", 4096],
	["llama-server --model a.gguf", undefined],
	["llama-server \\\n  --ctx-size \\\n  4096 \\\n  --temp 1", 4096],
	["llama-server --ctx-size=4096", 4096],
	["llama-server -c 4096 --ctx-size 8192", 8192],
	["llama-server --ctx-size 8192 -c 4096", 4096],
	["llama-server --ctx-size\t4096", 4096],
	['llama-server --ctx-size "4096"', 4096],
	['llama-server "--ctx-size" 4096', 4096],
	["llama-server '-c' '4096'", 4096],
	["llama-server --ctx-size-draft 512", undefined],
	["llama-server -c 4096 --ctx-size-draft 512", 4096],
	["llama-server -c 0", undefined],
	["llama-server -c 4096 -c 0", undefined],
	["llama-server -c -1", undefined],
	["llama-server -c 32k", undefined],
	["llama-server -c 99999999999", undefined],
	["llama-server -c 2147483648", undefined],
	["llama-server --ctx-size", undefined],
	["", undefined],
	["llama-server # -c 4096", 4096], // no shell: an inline "#" is a word like any other
	["llama-server\n# --ctx-size 4096\n--temp 1", undefined],
	["llama-server\n   # -c 1\n-c 2048", 2048],
	['llama-server --system-prompt "use -c 512 here" -c 4096', 4096],
	['llama-server -c 4096 --prompt "and --ctx-size 512"', 4096],
	["bash -c 'llama-server -m a.gguf -c 8192'", 8192],
	['bash -lc "llama-server --ctx-size 8192"', 8192],
	["/bin/sh -c 'exec llama-server'", undefined],
	["env FOO=1 llama-server -c 4096", 4096],
	["docker run --rm -c 512 ghcr.io/ggml-org/llama.cpp:server -m a.gguf", undefined],
	["docker run --rm -c 512 ghcr.io/ggml-org/llama.cpp:server -m a.gguf -c 16384", 16384],
	["docker run --init --rm -p 9000:8080 --name x image --ctx-size 16384", 16384],
	["podman run -it --gpus=all -v /m:/m image -c 16384", 16384],
	["llama-server -c 4096 --parallel 4", 4096],
	["llama-server --model 'C:\\models\\a.gguf' -c 4096", 4096],
	["llama-server -c 4096\r\n--temp 1\r\n", 4096],
	[`llama-server ${"--x y ".repeat(1300)} -c 4096`, 4096],
])("%j has the context size %s", (cmd, size) => {
	expect(extractCtxFromRunningCmd(cmd)).toBe(size);
});

test.each([
	["a b  c", ["a", "b", "c"]],
	["a 'b c' d", ["a", "b c", "d"]],
	['a "b \\"c\\"" d', ["a", 'b "c"', "d"]],
	["a b\\ c", ["a", "b c"]],
	[`--k '{"a": "b"}'`, ["--k", '{"a": "b"}']],
	["pre'mid'\"post\"", ["premidpost"]],
	["a 'unclosed b", ["a", "unclosed b"]],
	["a \\", ["a"]],
	["''", [""]],
])("splits %j as llama-swap does", (cmd, words) => {
	expect(splitCommand(cmd)).toEqual(words);
});
