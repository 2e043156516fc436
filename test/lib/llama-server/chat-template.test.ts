import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { readTemplate, type TemplateFacts } from "../../../lib/llama-server/chat-template.ts";

const NEVER: TemplateFacts = {
	thinks: false,
	levels: [],
	toggle: undefined,
	effort: undefined,
	budget: undefined,
	tools: false,
};
const BUDGETS = ["minimal", "low", "medium", "high"] as const;
const ALWAYS: TemplateFacts = { ...NEVER, thinks: true, levels: BUDGETS };
const SWITCHED: TemplateFacts = {
	...NEVER,
	thinks: true,
	levels: ["off", ...BUDGETS],
	toggle: "enable_thinking",
};
const effort = (
	variable: "reasoning_effort" | "thinking_effort",
	values: Readonly<Record<string, string>>,
): Pick<TemplateFacts, "thinks" | "effort" | "levels"> => ({
	thinks: true,
	levels: Object.keys(values) as TemplateFacts["levels"],
	effort: {
		variable,
		values: new Map(Object.entries(values)) as Exclude<
			TemplateFacts["effort"],
			undefined
		>["values"],
	},
});

test.each<[string, string, TemplateFacts]>([
	["nothing", "", NEVER],
	["plain ChatML", "{% for m in messages %}<|im_start|>{{ m.role }}{% endfor %}", NEVER],
	[
		"Qwen3: an empty thought when switched off",
		"{%- if tools %}{{ tools | tojson }}{%- endif %}{%- if add_generation_prompt %}{%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}{%- endif %}",
		{ ...SWITCHED, tools: true },
	],
	[
		"Qwen3 of the thinking kind: begun for every answer",
		"{%- if tools %}x{% endif %}{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n<think>\\n' }}{%- endif %}",
		{ ...ALWAYS, tools: true },
	],
	[
		"Qwen3 of the other kind: every thought closed",
		"{%- if '</think>' in content %}x{% endif %}{%- if add_generation_prompt %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}",
		NEVER,
	],
	[
		"GLM: a word in the prompt",
		"{{- '/nothink' if (enable_thinking is defined and not enable_thinking) else '' -}}",
		SWITCHED,
	],
	[
		"GLM: switch and effort",
		"{%- set enable_thinking = enable_thinking | default(true) %}{%- if reasoning_effort in ['high', 'max'] %}{{ reasoning_effort }}{% endif %}",
		{
			...SWITCHED,
			...effort("reasoning_effort", { high: "high", xhigh: "max" }),
			levels: ["off", "high", "xhigh"],
		},
	],
	[
		"DeepSeek: its own name for the switch",
		"{%- if not thinking is defined -%}{%- set thinking = false -%}{%- endif -%}{%- if not thinking -%}{{'</think>'}}{%- else -%}{{'<think>'}}{%- endif -%}",
		{ ...SWITCHED, toggle: "thinking" },
	],
	[
		"DeepSeek: either name",
		"{%- if not thinking is defined -%}{%- set thinking = enable_thinking -%}{%- endif -%}",
		SWITCHED,
	],
	["DeepSeek R1: always", "{% if '</think>' in content %}{% endif %}{{'<|Assistant|>'}}", ALWAYS],
	[
		"MiniMax: always, with tools",
		"{%- if tools -%}{{ render(tools) }}{%- endif -%}{%- if add_generation_prompt -%}{{- ']~b]ai' ~ '\\n' ~ '<think>' ~ '\\n' }}{%- endif -%}",
		{ ...ALWAYS, tools: true },
	],
	[
		"Kimi: an empty thought in history only",
		"<think></think>{{ content }}{%- if add_generation_prompt -%}<|im_assistant|>{%- endif -%}",
		ALWAYS,
	],
	[
		"Kimi: switch and effort by other names",
		"{%- if thinking is undefined -%}{%- set thinking = true -%}{%- endif -%}{%- if thinking_effort is undefined -%}{%- set thinking_effort = 'max' -%}{%- endif -%}{%- if thinking_effort not in ['low', 'medium', 'high', 'max'] -%}{{ raise_exception('thinking_effort=' + thinking_effort) }}{%- endif -%}",
		{
			...NEVER,
			toggle: "thinking",
			...effort("thinking_effort", { low: "low", medium: "medium", high: "high", xhigh: "max" }),
			levels: ["off", "low", "medium", "high", "xhigh"],
		},
	],
	[
		"gpt-oss: an effort, no way to switch off",
		'{%- if reasoning_effort is not defined %}{%- set reasoning_effort = "medium" %}{%- endif %}{{- "Reasoning: " + reasoning_effort }}<|channel|>analysis{%- if tools %}{% endif %}',
		{
			...NEVER,
			...effort("reasoning_effort", { low: "low", medium: "medium", high: "high" }),
			tools: true,
		},
	],
	[
		"Mistral: none or high",
		"{%- if reasoning_effort not in ['none', 'high'] %}{{ raise_exception('no') }}{% endif %}[THINK]",
		{ ...NEVER, ...effort("reasoning_effort", { off: "none", high: "high" }) },
	],
	[
		"efforts one by one",
		"{% if reasoning_effort == 'low' %}a{% elif reasoning_effort == \"high\" %}b{% endif %}",
		{ ...NEVER, ...effort("reasoning_effort", { low: "low", high: "high" }) },
	],
	[
		"Magistral: in its prompt",
		"{%- set p = 'First draft your thinking: [THINK] ... [/THINK]' %}",
		ALWAYS,
	],
	[
		"Seed: a budget",
		"{%- if not thinking_budget is defined %}{%- set thinking_budget = -1 -%}{%- endif -%}{%- if thinking_budget == 0 %}x{% endif %}",
		{ ...NEVER, thinks: true, levels: ["off", ...BUDGETS], budget: "thinking_budget" },
	],
	[
		"Gemma: a mark in the prompt",
		"{%- if enable_thinking is defined and enable_thinking -%}{{- '<|think|>' -}}{%- endif -%}",
		SWITCHED,
	],
	[
		"Nemotron: a switch in the messages only",
		"{%- set ns = namespace(enable_thinking=true) -%}{%- if '/no_think' in content -%}{%- set ns.enable_thinking = false -%}{%- endif -%}{{- '<think>' -}}",
		ALWAYS,
	],
	[
		"Granite",
		"{%- if thinking %}{{ 'Think first.' }}{% endif %}",
		{ ...SWITCHED, toggle: "thinking" },
	],
	["a field of messages", "{% if message.thinking %}{{ message.thinking }}{% endif %}", NEVER],
	["a comment", "{# enable_thinking: <think> if tools #}{{ x }}", NEVER],
	["text that names it", "{{ 'enable_thinking and reasoning_effort and tools' }}", NEVER],
	["a field called tools", "{% if message.tools %}{{ message.tools }}{% endif %}", NEVER],
])("%s", (_name, template, facts) => {
	expect(readTemplate(template)).toEqual(facts);
});

test("the template that a real server showed", () => {
	const packed = readFileSync(new URL("../../fixtures/llama-server.jsonl.gz", import.meta.url));
	const records = gunzipSync(packed).toString("utf8").trim().split("\n");
	const props = records
		.map(
			(line) => JSON.parse(line) as { request?: { path?: string }; status?: number; body: string },
		)
		.find(({ request, status }) => request?.path === "/props" && status === 200);
	const { chat_template: template } = JSON.parse(props?.body ?? "") as { chat_template: string };
	expect(readTemplate(template)).toEqual({ ...SWITCHED, tools: true });
});

test.each([
	["tags that never close", "{%".repeat(200_000)],
	["comments that never close", "{# {".repeat(200_000)],
	["quotes that never close", `{% ${"\\'".repeat(200_000)} %}`],
	["lists that never close", `{% ${"reasoning_effort in [".repeat(20_000)} %}`],
	["thoughts that never close", `{{ add_generation_prompt }}${"<think> ".repeat(50_000)}`],
])("survives %s", (_name, template) => {
	expect(readTemplate(template).tools).toBe(false);
});
