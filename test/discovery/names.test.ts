import { expect, test } from "vitest";
import { isReasoningModel, kindByName } from "../../discovery/names.ts";

test.each([
	["Qwen_Qwen3.6-35B-A3B-Q8_0", true],
	["MiniMax-M2.7-IQ3_XXS", true],
	["gpt-oss:120b", true],
	["deepseek-r1-distill-llama-8b", true],
	["unsloth/GLM-4.7-Flash", true],
	["QwQ-32B", true],
	["Kimi-K2-Thinking", true],
	["Qwen3-Coder-30B", false],
	["Qwen3-30B-A3B-Instruct-2507", false],
	["qwen3-embedding-0.6b", false],
	["llama-3.1-70b", false],
	["gemma-3-27b-it", false],
	["mistral-small", false],
])("thinking %s: %s", (id, answer) => {
	expect(isReasoningModel(id)).toBe(answer);
});

test.each([
	["bge-reranker-v2-m3", "reranker"],
	["Qwen3-Reranker-0.6B-Q8_0", "reranker"],
	["jina-rerank-v2", "reranker"],
	["nomic-embed-text-v1.5", "embedding"],
	["Qwen/Qwen3-Embedding-8B", "embedding"],
	["embeddinggemma-300m", "embedding"],
	["multilingual-e5-large", "embedding"],
	["BAAI/bge-m3", "embedding"],
	["all-MiniLM-L6-v2", "embedding"],
	["whisper-large-v3", "transcription"],
	["faster-whisper-small", "transcription"],
	["parakeet-tdt-0.6b", "transcription"],
	["qwen3-tts", "speech"],
	["Kokoro-82M", "speech"],
	["tts-1-hd", "speech"],
	["flux-dev", "image"],
	["FLUX.1-schnell", "image"],
	["stable-diffusion-3.5", "image"],
	["sdxl-turbo", "image"],
	["qwen-image", "image"],
	["z-image-turbo", "image"],
])("%s is no chat model but one for %s", (id, kind) => {
	expect(kindByName(id)).toBe(kind);
});

test.each([
	"Qwen_Qwen3.6-35B-A3B-Q8_0",
	"MiniMax-M2.7-IQ3_XXS",
	"gpt-oss:120b",
	"gemma-3-27b-it",
	"Qwen3-VL-8B-Instruct",
	"llava-1.6-mistral",
	"mistral-small",
	"stablelm-2-chat",
	"deepseek-coder-6.7b",
	"phi-4-multimodal-instruct",
	"voxtral-mini-3b",
	"hermes-3-llama-3.1",
	"tiny",
	"big-7b-e5m2",
	"embers-12b",
	"fluxion-chat",
])("%s may be a chat model", (id) => {
	expect(kindByName(id)).toBeUndefined();
});
