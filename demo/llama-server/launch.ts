// What a model's command asks for, in the few forms that the configs of the demo and of the tests
// have. The product's own reader is not used: what it reads wrong has to show in the tests.
import type { ModelConfig } from "../llama-swap/config-file.ts";

/** Tokens of the last `-c` or `--ctx-size`; undefined when there is none, or 0. */
export function contextOf({ cmd }: ModelConfig): number | undefined {
	const sizes = [...cmd.matchAll(/(?:^|\s)(?:-c|--ctx-size)[\s=]+(\d+)(?=\s|$)/g)];
	return Number(sizes.at(-1)?.[1] ?? 0) || undefined;
}

/** `-np`: requests that are answered at once. */
export function slotCount({ cmd }: ModelConfig): number {
	return Number(/(?:^|\s)(?:-np|--parallel)\s+(\d+)/.exec(cmd)?.[1] ?? 1);
}

/** The file after `-m`. */
export function pathOf({ cmd, id }: ModelConfig): string {
	return /(?:^|\s)(?:-m|--model)\s+(\S+)/.exec(cmd)?.[1] ?? `/models/${id}.gguf`;
}
