import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A door in front of a server on this machine: everything takes longer through it, or waits. */
export interface Delayed {
	readonly port: number;
	/** Connections so far. */
	connections(): number;
	/** Lets through what waits, and all that comes later. */
	release(): void;
	close(): Promise<void>;
}

export interface DelayOptions {
	/** Milliseconds of a round trip; 0 by default. */
	readonly roundTripMs?: number;
	/** True for a line on which nothing moves before release(). */
	readonly held?: boolean;
}

export async function delayed(
	target: number,
	{ roundTripMs = 0, held = false }: DelayOptions = {},
): Promise<Delayed> {
	const sockets = new Set<Socket>();
	const gate = Promise.withResolvers<void>();
	if (!held) gate.resolve();
	let count = 0;
	const keep = (socket: Socket): void => {
		sockets.add(socket);
		socket.on("error", () => socket.destroy());
		socket.once("close", () => sockets.delete(socket));
	};
	const later = (run: () => void, milliseconds: number): void => {
		setTimeout(run, milliseconds);
	};
	const carry = (from: Socket, to: Socket): void => {
		from.on("data", (bytes) => later(() => void to.write(bytes), roundTripMs / 2));
		from.once("close", () => later(() => to.destroy(), roundTripMs / 2));
	};
	const door = createServer({ noDelay: true, pauseOnConnect: true }, (client) => {
		count += 1;
		keep(client);
		void gate.promise.then(() => {
			later(() => {
				const server = connect({ host: "127.0.0.1", port: target, noDelay: true });
				keep(server);
				carry(client, server);
				carry(server, client);
				client.resume();
			}, roundTripMs);
		});
	});
	await once(door.listen(0, "127.0.0.1"), "listening");
	return {
		port: (door.address() as AddressInfo).port,
		connections: () => count,
		release: gate.resolve,
		async close() {
			for (const socket of sockets) socket.destroy();
			door.close();
			await once(door, "close");
		},
	};
}
