import type { ModelKind } from "../lib/llama-server/servers.ts";

/** Families whose chat templates think. */
const THINKING =
	/think|reason|(?:^|[^a-z])(?:qwq|qwen_?-?3|deepseek-?(?:r1|v3\.[1-9]|v4)|gpt-?oss|minimax-?m\d|glm-?(?:4\.[5-9]|[5-9])|magistral|r1|seed-?oss|nemotron|exaone-?deep|hunyuan)/;
/** Their members that do not. */
const NOT_THINKING = /non?-?think|no-?reason|instruct-2507|coder|embed|rerank/;

/** A guess by name, used until the model's template is read. */
export function isReasoningModel(id: string): boolean {
	const name = id.toLowerCase();
	return THINKING.test(name) && !NOT_THINKING.test(name);
}

/** Words that name a model which cannot chat. The first kind that matches counts. */
const KINDS: readonly (readonly [ModelKind, string])[] = [
	["reranker", String.raw`re-?rank(?:er|ing)?(?:v?\d+)?|colbert(?:v\d)?`],
	[
		"embedding",
		String.raw`embed(?:ding)?s?|\w*embed(?:ding)?s?(?:gemma|v?\d+)?|e5|bge|gte|mpnet|minilm|sbert|sentence-transformers?`,
	],
	["transcription", String.raw`\w*whisper\w*|parakeet|canary|moonshine|asr|stt`],
	[
		"speech",
		String.raw`tts\d*|\w+tts|kokoro|piper|chatterbox|orpheus|bark|cosyvoice\d*|vibevoice|styletts\d*|speecht5|outetts|musicgen`,
	],
	[
		"image",
		String.raw`flux\d*|sdxl|sd(?:\d[\d.]*)?-(?:turbo|xl|v?\d[\d.]*)|sd\d[\d.]*|stable-?diffusion|dall-?e|z-?image|\w+-image(?=-|$)(?!-text)|hidream|kolors|pixart|wan2[\d.]*|ltx-?video|text-to-(?:image|video)|img2img|txt2img`,
	],
];

const BY_NAME = KINDS.map(
	([kind, words]) => [kind, new RegExp(`(?:^|[^a-z0-9])(?:${words})(?![a-z0-9])`)] as const,
);
/** What makes a chat model of a name that would be one of those. */
const CHAT = /(?:^|[^a-z])(?:chat|instruct|llava|llama|vl|coder)(?![a-z])/;

/** What a model is for where its name leaves no doubt that it is not chat; undefined for any other. */
export function kindByName(id: string): ModelKind | undefined {
	const name = id
		.toLowerCase()
		.slice(id.lastIndexOf("/") + 1)
		.slice(0, 200)
		.replace(/[_ ]/g, "-");
	const kind = BY_NAME.find(([, pattern]) => pattern.test(name))?.[0];
	const isSure = kind === "reranker" || kind === "embedding" || !CHAT.test(name);
	return isSure ? kind : undefined;
}
