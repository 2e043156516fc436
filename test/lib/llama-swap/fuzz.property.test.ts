import { expect, test } from "vitest";
import { AiServerError } from "../../../lib/errors.ts";
import { readTemplate } from "../../../lib/llama-server/chat-template.ts";
import { contextWindowOf } from "../../../lib/llama-server/context-window.ts";
import { extractCtxFromRunningCmd, readLaunch } from "../../../lib/llama-server/launch.ts";
import { parseConfig } from "../../../lib/llama-swap/config/read.ts";
import { rounds } from "../../support/rounds.ts";

const ROUNDS = rounds(2000);
/** `AI_SERVER_FUZZ_SEED=n` repeats a run. */
const SEED = Number(process.env["AI_SERVER_FUZZ_SEED"] ?? Date.now() % 2 ** 31);

const COMMANDS = [
	"llama-server -m /m/a.gguf --ctx-size 8192 -np 2 --kv-unified-per-slot 512 --port ${PORT}",
	"docker run --rm -e LLAMA_ARG_CTX_SIZE=4096 -c 512 image:server -m x -c ${ctx} --mmproj p",
	"bash -lc 'cd /x && env A=1 nice -n 5 llama-server -c 4096 --no-mmproj | tee y'",
	'env X="a b" taskset -c 0-3 python3 -m vllm.entrypoints.openai.api_server --max-model-len=32k',
	"llama-server \\\n  --override-kv llama.context_length=int:9 \\\n# -c 1\n --rope-scale 4 -fitc 512 -fitt 9",
];
const CONFIGS = [
	...COMMANDS.map((cmd) => `macros: {ctx: 4096}\nmodels:\n  m:\n    cmd: ${JSON.stringify(cmd)}\n`),
	"x: &x {cmd: s -c 1, ttl: 5}\nmodels:\n  a: {<<: *x}\n  b: *x\n  __proto__: {cmd: s -c 2}\n  1.0: *x\n",
	"macros:\n  a: ${b} ${b}\n  b: -c ${MODEL_ID}\nmodels:\n  constructor:\n    cmd: |\n      s ${a}\n      # ${b}\n    aliases: [x, toString]\n    filters: {setParamsByID: {'${MODEL_ID}:h': {}}}\n    metadata: {k: ['${a}', {b: '${b}'}]}\n",
	"groups: {g: {members: [a, b]}}\nrouting: {router: {use: matrix, settings: {matrix: {sets: {s: a & b}}}}}\npeers: {p: {models: [x]}}\nprofiles: {n: {pins: {a: b}}}\nselectors: {s: {targets: [a]}}\nhooks: {on_startup: {preload: [a]}}\nglobalTTL: ${env.TTL}\nmodels: {a: {cmd: '${env.C}', env: [A=${env.B}]}}\n",
	"{% if enable_thinking is defined %}{{ reasoning_effort in ['low', \"high\"] }}<think>{# tools #}{% endif %}",
];
const PIECES = [
	..."'\"\\\n\r\t#&*|>!%@`{}[]:,-? $=;()0\ufeff\u0000é😀".split(""),
	..."<<: *x|&x |${a}|${b}|${env.X}|${PORT}|__proto__|constructor|: |\n  |\n- |---\n|...\n|-c |--ctx-size=|99999999999|-1|null|true|1e999|bash -c |docker run |{% |%}|<think>|\ud800".split(
		"|",
	),
];

type Random = (below: number) => number;

/** mulberry32: the same numbers for the same seed on every machine. */
function randomOf(seed: number): Random {
	let state = seed | 0;
	return (below) => {
		state = (state + 0x6d2b79f5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
	};
}

const pick = (random: Random, from: readonly string[]): string => from[random(from.length)] ?? "";

function mutated(random: Random, from: readonly string[]): string {
	let text = pick(random, from);
	for (let change = random(8); change >= 0; change--) {
		const at = random(text.length + 1);
		const end = at + random(12);
		const kind = random(5);
		if (kind === 0) text = text.slice(0, at) + text.slice(end);
		else if (kind === 1)
			text = text.slice(0, at) + text.slice(at, end).repeat(1 + random(20)) + text.slice(end);
		else if (kind === 2)
			text = text.slice(0, at) + pick(random, from).slice(random(40)) + text.slice(at);
		else text = text.slice(0, at) + pick(random, PIECES) + text.slice(kind === 3 ? at : end);
	}
	return text;
}

function checkCommand(cmd: string): void {
	const launch = readLaunch(cmd, cmd.split(" "));
	for (const trained of [undefined, 4096]) {
		const window = contextWindowOf(launch, trained);
		expect(window === undefined || (Number.isSafeInteger(window) && window >= 0)).toBe(true);
	}
	expect(extractCtxFromRunningCmd(cmd) ?? 1).toBeGreaterThan(0);
}

function checkConfig(yaml: string): void {
	let fault: unknown;
	try {
		for (const { cmd, id } of parseConfig(yaml).models.values()) {
			expect(typeof id).toBe("string");
			expect(typeof cmd).toBe("string");
		}
	} catch (error) {
		fault = error;
	}
	if (fault === undefined) return;
	if (!(fault instanceof AiServerError)) throw fault;
	expect(fault.code).toBe("config");
	expect(fault.message).not.toContain("\n");
	expect(fault.message).toMatch(/line \d+, column \d+|without end/);
}

test(`${ROUNDS} mutated commands and configs from seed ${SEED}`, () => {
	const random = randomOf(SEED);
	for (let round = 0; round < ROUNDS; round++) {
		const cmd = mutated(random, COMMANDS);
		const yaml = mutated(random, CONFIGS);
		try {
			checkCommand(cmd);
			checkConfig(yaml);
			readTemplate(yaml);
		} catch (error) {
			const input = JSON.stringify({ cmd, yaml });
			throw new Error(`round ${round} of seed ${SEED} with ${input}`, { cause: error });
		}
	}
	expect(Object.keys(Object.prototype)).toEqual([]);
	expect(({} as Record<string, unknown>)["cmd"]).toBeUndefined();
});
