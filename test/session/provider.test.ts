import { expect, test } from "vitest";
import type { Catalog } from "../../discovery/catalog.ts";
import { fallbackDiscovery } from "../../discovery/fallback.ts";
import type { ServerModel } from "../../discovery/merge.ts";
import { createProvider, type Registration } from "../../session/provider.ts";
import { settingsOf } from "../support/session-rig.ts";

const MODEL: ServerModel = {
	id: "m",
	name: "A model",
	state: "ready",
	contextWindow: 4096,
	contextOrigin: "server",
	reasoning: true,
	images: true,
};

interface Rig extends Registration {
	/** The list that the server has from now on. */
	show(...models: readonly ServerModel[]): void;
}

function rig(refresh: Catalog["refresh"], env: Readonly<Record<string, string>> = {}): Rig {
	let models: readonly ServerModel[] = [MODEL];
	const settings = settingsOf(env);
	const catalog: Catalog = {
		current: () => ({ ...fallbackDiscovery(), models }),
		restore: async () => undefined,
		refresh,
		onChange: () => () => undefined,
	};
	const never = (): never => {
		throw new Error("no chat in this test");
	};
	const { id, names } = settings;
	const registration = createProvider({ id, names, settings, catalog }, never);
	return {
		...registration,
		show(...next) {
			models = next;
		},
	};
}

const found = async (): Promise<ReturnType<typeof fallbackDiscovery>> => fallbackDiscovery();
type Refresh = Parameters<NonNullable<Registration["provider"]["refreshModels"]>>[0];
const asking = (allowNetwork: boolean, published: unknown[]): Refresh =>
	({ allowNetwork, publish: async (update: unknown) => void published.push(update) }) as never;

test("a model as pi knows it", () => {
	const { provider } = rig(found);
	expect(provider.getModels()).toEqual([
		{
			id: "m",
			name: "A model",
			api: "ai-server-mtls",
			provider: "ai-server",
			baseUrl: "http://127.0.0.1:9",
			reasoning: true,
			input: ["text", "image"],
			cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
			contextWindow: 4096,
			maxTokens: 4096,
		},
	]);
});

test("the object of a model stays the same one, with what is new in it", () => {
	const { provider, show } = rig(found);
	const [before] = provider.getModels();
	show({ ...MODEL, contextWindow: 8192, images: false });
	const [after] = provider.getModels();
	expect(after).toBe(before);
	expect(before).toMatchObject({ contextWindow: 8192, input: ["text"] });
});

test("thinking levels are those of the template", () => {
	const { provider, show } = rig(found);
	const thinking = { thinks: true, levels: ["off", "high"], toggle: undefined, budget: false };
	show({ ...MODEL, thinking: { ...thinking, effort: undefined } as never });
	expect(provider.getModels()[0]?.thinkingLevelMap).toMatchObject({
		off: "off",
		high: "high",
		low: null,
	});
});

test("the credential is the certificate, or the key by its name, never its value", async () => {
	const resolve = async (env: Readonly<Record<string, string>>): Promise<unknown> =>
		rig(found, env).provider.auth.apiKey?.resolve({} as never);
	expect(await resolve({})).toEqual({ auth: {}, source: "client certificate" });
	expect(await resolve({ AI_SERVER_API_KEY: "geheim" })).toEqual({
		auth: {},
		source: "AI_SERVER_API_KEY",
	});
});

test("pi's own refresh asks the server and publishes; it is pulling meanwhile, also in vain", async () => {
	const reply = Promise.withResolvers<ReturnType<typeof fallbackDiscovery>>();
	const { provider, isPulling } = rig(() => reply.promise);
	const published: unknown[] = [];
	const refreshed = provider.refreshModels?.(asking(true, published));
	expect([isPulling(), published]).toEqual([true, []]);
	reply.resolve(fallbackDiscovery());
	await refreshed;
	expect([isPulling(), published]).toEqual([false, [{}]]);

	const failing = rig(() => Promise.reject(new Error("down")));
	await expect(failing.provider.refreshModels?.(asking(true, published))).rejects.toThrow("down");
	expect(failing.isPulling()).toBe(false);
});

test("offline nothing is asked", async () => {
	const published: unknown[] = [];
	const { provider } = rig(() => Promise.reject(new Error("not to be called")));
	await provider.refreshModels?.(asking(false, published));
	expect(published).toEqual([]);
});
