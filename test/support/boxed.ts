import type { Box } from "../../demo/box.ts";
import type { Isolated } from "./pi.ts";

/** The environment of a pi that uses this box and nothing else. */
export function boxEnv(box: Box): Record<string, string> {
	return {
		HOME: box.home,
		AI_SERVER_URL: box.url,
		AI_SERVER_CERTS_DIR: box.certsDir,
		AI_SERVER_SSH_HOST: box.sshHost,
	};
}

/** Rows of `pi --list-models`: model, context, max-out, thinking, images. */
export function listedModels(stdout: string): readonly (readonly string[])[] {
	return stdout
		.split("\n")
		.map((line) => line.trim().split(/\s+/))
		.filter(([provider]) => provider === "ai-server")
		.map(([, ...cells]) => cells);
}

/** Where the list is kept for an offline start. */
export function cacheFolder(place: Isolated): string {
	return `${place.agentDir}/ai-server`;
}
