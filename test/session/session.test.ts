import { expect, test, vi } from "vitest";
import { createNotices } from "../../session/notices.ts";
import { createProvider } from "../../session/provider.ts";
import { handleSession } from "../../session/session.ts";
import type { Rest } from "../../session/startup.ts";
import { FakePi, type ServerRig, serverRig, settingsOf } from "../support/session-rig.ts";

interface SessionRig extends ServerRig {
	readonly pi: FakePi;
}

function session(
	pi: FakePi,
	rest: Rest = async () => undefined,
	rig: ServerRig = serverRig(),
): SessionRig {
	const never = (): never => {
		throw new Error("no chat in this test");
	};
	handleSession(pi as never, rig.server, {
		registration: createProvider(rig.server, never),
		rest,
		notices: createNotices(),
		now: () => 0,
		wait: async () => undefined,
	});
	return { ...rig, pi };
}

const asked = (log: readonly string[], path: string): number =>
	log.filter((line) => line === `GET ${path}`).length;

test("a session that starts twice opens and shows everything once", async () => {
	const rests: boolean[] = [];
	const { pi, server, log } = session(new FakePi(true), async ({ hasUI }) => {
		rests.push(hasUI);
		return server.catalog.refresh();
	});
	await pi.emit("session_start");
	await pi.emit("session_start");
	await vi.waitFor(() => expect(asked(log, "/api/events")).toBe(1));
	expect([rests, asked(log, "/v1/models")]).toEqual([[true], 1]);
	expect(pi.registered).toHaveLength(1);
	await pi.emit("session_shutdown");
});

test("without a user no events are followed, and the end closes the server", async () => {
	const { pi, server, log } = session(new FakePi(false));
	await pi.emit("session_start");
	await pi.emit("agent_end");
	expect(log).toEqual([]);
	await pi.emit("session_shutdown");
	expect(server.closed.aborted).toBe(true);
});

test("a turn holds changes back, and its end asks quickly for what it has loaded", async () => {
	const { pi, server, log } = session(new FakePi(true));
	await pi.emit("session_start");
	await pi.emit("agent_start");
	await server.catalog.refresh();
	expect(pi.registered).toEqual([]);
	await pi.emit("agent_end");
	expect(pi.registered).toHaveLength(1);
	await vi.waitFor(() => expect(asked(log, "/v1/models")).toBe(2));
	await pi.emit("session_shutdown");
});

test("choosing a model of this server prepares a connection; another provider's does not", async () => {
	const { pi, log } = session(new FakePi(true));
	await pi.emit("session_start");
	await pi.emit("model_select", { model: { provider: "other", id: "x" } });
	expect(log).not.toContain("warm");
	await pi.emit("model_select", { model: { provider: "ai-server", id: "m" } });
	await vi.waitFor(() => expect(log).toContain("warm"));
	await pi.emit("session_shutdown");
});

test("a start that failed is reported in one line, with the age of the list", async () => {
	const { pi } = session(new FakePi(true), () => Promise.reject(new Error("gone")));
	await pi.emit("session_start");
	expect(pi.shown).toEqual(["ai-server: gone. Built-in list; the server was never reached"]);
	await pi.emit("session_shutdown");
});

test("nothing is reported to a session that is over", async () => {
	const failure = Promise.withResolvers<never>();
	const { pi } = session(new FakePi(true), () => failure.promise);
	await pi.emit("session_start");
	await pi.emit("session_shutdown");
	failure.reject(new Error("gone"));
	await pi.emit("nothing");
	expect(pi.shown).toEqual([]);
});

test("unusable settings are reported at the start", async () => {
	const rig = serverRig(settingsOf({ AI_SERVER_TIMEOUT_MS: "soon" }));
	const { pi } = session(new FakePi(true), async () => undefined, rig);
	await pi.emit("session_start");
	expect(pi.shown).toEqual([expect.stringMatching(/^ai-server: AI_SERVER_TIMEOUT_MS/)]);
	await pi.emit("session_shutdown");
});

test("a chosen model that the server no longer has is named once", async () => {
	const chosen = new FakePi(true, { provider: "ai-server", id: "old" });
	const { pi, server } = session(chosen, () => server.catalog.refresh());
	await pi.emit("session_start");
	await vi.waitFor(() => expect(pi.shown).toHaveLength(1));
	await server.catalog.refresh();
	expect(pi.shown).toEqual([
		"The server no longer has old. Choose another one with /model, for example m",
	]);
	await pi.emit("session_shutdown");
});
