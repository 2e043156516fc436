import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, test } from "vitest";
import { startBox } from "../../demo/box.ts";
import { boxEnv } from "../support/boxed.ts";
import { HOSTS } from "../support/hosts.ts";
import { isolate, runPi } from "../support/pi.ts";

test.for(HOSTS)(
	"pi %s ends in the midst of a start, and nothing is told to a session that is over",
	async (host, { onTestFinished }) => {
		const box = await startBox();
		onTestFinished(box.close);
		const place = await isolate();
		onTestFinished(place.remove);
		const sockets: Socket[] = [];
		const mute = createServer((socket) => void sockets.push(socket.on("error", () => undefined)));
		await once(mute.listen(0, "127.0.0.1"), "listening");
		onTestFinished(() => {
			for (const socket of sockets) socket.destroy();
			mute.close();
		});
		const sshHost = `demo@127.0.0.1:${(mute.address() as AddressInfo).port}`;
		const env = { ...boxEnv(box), AI_SERVER_SSH_HOST: sshHost };
		const args = ["--no-session", "-p", "/ai-server-unload nope --yes"];
		const { code, stderr } = await runPi({ host, place, env, args });
		// A printed start waits for the config. That it was late is reported while the session lasts.
		expect(stderr).toMatch(
			/^(?:Warning: ai-server: The server's config has not come over SSH in time\.[^\n]*\n)?Error: The server does not know the model nope\.[^\n]*\n$/,
		);
		expect([code, sockets.length]).toEqual([1, 1]);
	},
);
