import { sendFault, sendJson } from "./answers.ts";
import { answerChat, type ChatOptions } from "./chat.ts";
import { modelsOf, propsOf, slotsOf, windowOf } from "./info.ts";
import type { UpstreamRequest } from "./request.ts";

export type Upstream = (request: UpstreamRequest) => Promise<void>;

/** What llama-server answers; nothing is computed, only spoken. */
export function createUpstream(options: ChatOptions): Upstream {
	return async (request) => {
		const { model, method, path, response } = request;
		const [page = ""] = path.split("?");
		if (!response.headersSent) {
			response.setHeader("access-control-allow-origin", "");
			response.setHeader("server", "llama.cpp");
		}
		switch (`${method === "HEAD" ? "GET" : method} ${page}`) {
			case "GET /health":
				sendJson(response, 200, { status: "ok" });
				return;
			case "GET /props":
				sendJson(response, 200, propsOf(model));
				return;
			case "GET /slots":
				sendJson(response, 200, slotsOf(model));
				return;
			case "GET /v1/models":
				sendJson(response, 200, modelsOf(model));
				return;
			case "POST /v1/chat/completions":
				await answerChat(request, windowOf(model), options);
				return;
			case "POST /v1/embeddings":
				sendFault(response, 501, {
					code: 501,
					message: "This server does not support embeddings. Start it with `--embeddings`",
					type: "not_supported_error",
				});
				return;
			default:
				sendFault(response, 404, {
					message: "File Not Found",
					type: "not_found_error",
					code: 404,
				});
		}
	};
}
