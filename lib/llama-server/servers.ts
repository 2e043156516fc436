/** What a model is for. "audio": speech or transcription, where only that is known. */
export type ModelKind =
	| "chat"
	| "embedding"
	| "reranker"
	| "image"
	| "audio"
	| "transcription"
	| "speech";

/** A program that serves a model, under its usual name. */
export interface Server {
	readonly name: string;
	/** What its models are for, where the program alone says so. */
	readonly kind: ModelKind | undefined;
}

interface Known extends Server {
	/** Matches the last part of its path, module or image. */
	readonly pattern: RegExp;
}

const known = (name: string, pattern: RegExp, kind?: ModelKind): Known => ({ name, pattern, kind });

/** The first that matches counts. */
const SERVERS: readonly Known[] = [
	known("whisper", /whisper|parakeet/, "transcription"),
	known("a speech server", /(?:^|[-_.])tts(?:$|[-_.:])|piper|kokoro|chatterbox|orpheus/, "speech"),
	known("sd-server", /(?:^|[-_.])(?:sd|sdcpp)(?:$|[-_.:])|stable-?diffusion|comfyui/, "image"),
	known("text-embeddings", /^text-embeddings|infinity[-_]emb/, "embedding"),
	known("llama_cpp.server", /^llama_cpp(?:\.server)?$|llama[-_]cpp[-_]python/),
	known("koboldcpp", /koboldcpp/),
	known("vllm", /(?:^|[-_.])vllm(?:$|[-_.:@])|^aphrodite/),
	known("sglang", /(?:^|[-_.])sglang(?:$|[-_.:@])/),
	known("text-generation-launcher", /^text-generation-(?:launcher|inference)/),
	known("lmdeploy", /^lmdeploy/),
	known("trtllm-serve", /^trtllm|tensorrt[-_]llm/),
	known("tabbyAPI", /tabby-?api/),
	known("mistralrs-server", /^mistralrs/),
	known("mlx_lm.server", /^mlx[-_.]v?lm(?:$|[-_.])/),
	known("ollama", /^ollama(?:$|[:@])/),
	known("ds4-server", /^ds4(?:$|-)/),
	known(
		"llama-server",
		/llama-?(?:cpp-)?server|llama-box|llamafile|(?:^|[-_.#])llama[-_.]?cpp(?:$|[-_.:@#])|^(?:server|llama)$/,
	),
];

/** The last part of a path, without ".exe": what a program is called. */
export function programName(path: string): string {
	const name = path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
	return name.toLowerCase().replace(/\.exe$/, "");
}

/** Usual names of scripts that start a server. Their options are their own. */
const SCRIPT =
	/\.(?:sh|bash|zsh|fish|bat|cmd|ps1|rb|js|pl)$|^(?!koboldcpp).*\.py$|^(?:run|start|serve|launch)[-_.]|wrap/;

/** The server that a program is; undefined for a user's script and for any other program. */
export function serverOf(program: string): Server | undefined {
	const name = programName(program);
	const server = SERVERS.find(({ pattern }) => pattern.test(name));
	return server?.kind === undefined && SCRIPT.test(name) ? undefined : server;
}

/** True for a word that can only be the name of a chat server; "server" may mean anything. */
export function isServerName(word: string): boolean {
	const server = /\s/.test(word) ? undefined : serverOf(word);
	return (
		server !== undefined &&
		server.kind === undefined &&
		!/^(?:server|llama)$/.test(programName(word))
	);
}
