import { expect, test } from "vitest";
import { fallbackDiscovery } from "../../discovery/fallback.ts";
import type { Discovery } from "../../discovery.ts";
import { type CatalogUpdates, showChanges } from "../../session/catalog-updates.ts";

function rig(): {
	readonly updates: CatalogUpdates;
	readonly registered: () => number;
	change(contextWindow: number): void;
	pull(isPulling: boolean): void;
} {
	let current: Discovery = fallbackDiscovery();
	let listener: (() => void) | undefined;
	let pulling = false;
	let registered = 0;
	const catalog = {
		current: () => current,
		onChange(given: () => void) {
			listener = given;
			return () => {
				listener = undefined;
			};
		},
	};
	const register = (): void => {
		registered += 1;
	};
	return {
		updates: showChanges(catalog, () => pulling, register),
		registered: () => registered,
		change(contextWindow) {
			current = {
				...current,
				models: current.models.map((model) => ({ ...model, contextWindow })),
			};
			listener?.();
		},
		pull(isPulling) {
			pulling = isPulling;
		},
	};
}

test("each change is registered once, and the same list never", () => {
	const { change, registered } = rig();
	change(1024);
	change(1024);
	expect(registered()).toBe(1);
	change(2048);
	expect(registered()).toBe(2);
});

test("what pi asked for itself is not registered, then or later", () => {
	const { change, registered, pull } = rig();
	pull(true);
	change(1024);
	pull(false);
	change(1024);
	expect(registered()).toBe(0);
});

test("changes wait for the end of an answer, and are one then", () => {
	const { updates, change, registered } = rig();
	updates.hold();
	change(1024);
	change(2048);
	expect(registered()).toBe(0);
	updates.release();
	updates.release();
	expect(registered()).toBe(1);
});

test("after the end nothing is registered", () => {
	const { updates, change, registered } = rig();
	updates.stop();
	change(1024);
	expect(registered()).toBe(0);
});
