/**
 * Puts a model id into a path template. Each segment is encoded and slashes stay raw: llama-swap
 * takes both forms, but some front proxies normalise "%2F" away.
 */
export function modelPath(template: string, id: string): string {
	return template.replace("<id>", () => id.split("/").map(encodeURIComponent).join("/"));
}
