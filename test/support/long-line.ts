import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";

/** A line on which every answer takes one round trip, however fast this machine is. */
export interface LongLine {
	readonly port: number;
	/** How many there were so far, for all connections together. */
	trips(): number;
	/** The trips that it takes until `work` is done. */
	during(work: () => Promise<unknown>): Promise<number>;
}

interface Line {
	readonly client: Socket;
	server: Socket | undefined;
	/** True once the connection itself has taken its round trip. */
	isOpen: boolean;
	up: Buffer[];
	down: Buffer[];
	ended: boolean;
}

/**
 * Carries what the clients have sent up in one go, then what the servers answer down in one go: one
 * round trip. So trips are counted and not milliseconds, and parallel requests share them. A side has
 * said all that it has to say when it was silent for `quietMs`.
 */
export async function longLine(target: number, quietMs: number = 40): Promise<LongLine> {
	const lines = new Set<Line>();
	let heardAt = 0;
	const hear = (): void => {
		heardAt = performance.now();
	};
	const door = createServer({ noDelay: true }, (client) => {
		const line: Line = { client, server: undefined, isOpen: false, up: [], down: [], ended: false };
		lines.add(line);
		hear();
		client.on("data", (bytes) => {
			line.up.push(bytes);
			hear();
		});
		client.on("error", () => undefined);
		client.once("close", () => {
			line.server?.destroy();
			lines.delete(line);
		});
	});
	await once(door.listen(0, "127.0.0.1"), "listening");
	const reach = (line: Line): Socket => {
		const server = connect({ host: "127.0.0.1", port: target, noDelay: true });
		server.on("data", (bytes) => {
			line.down.push(bytes);
			hear();
		});
		server.on("error", () => undefined);
		server.once("close", () => {
			line.ended = true;
			hear();
		});
		return server;
	};
	const quiet = async (): Promise<void> => {
		hear();
		while (performance.now() - heardAt < quietMs) await sleep(5);
	};
	let trips = 0;
	let isClosed = false;
	const carryUp = (): void => {
		const waiting = [...lines].filter((line) => !line.isOpen || line.up.length > 0);
		if (waiting.length > 0) trips += 1;
		for (const line of waiting) {
			if (!line.isOpen) {
				line.isOpen = true;
				continue;
			}
			line.server ??= reach(line);
			for (const bytes of line.up.splice(0)) line.server.write(bytes);
		}
	};
	const carryDown = (): void => {
		for (const line of lines) {
			for (const bytes of line.down.splice(0)) line.client.write(bytes);
			if (line.ended) line.client.end();
		}
	};
	const run = async (): Promise<void> => {
		while (!isClosed) {
			await quiet();
			carryUp();
			await quiet();
			carryDown();
		}
	};
	void run();
	onTestFinished(() => {
		isClosed = true;
		for (const { client, server } of lines) {
			client.destroy();
			server?.destroy();
		}
		door.close();
	});
	return {
		port: (door.address() as AddressInfo).port,
		trips: () => trips,
		async during(work) {
			const before = trips;
			await work();
			return trips - before;
		},
	};
}
