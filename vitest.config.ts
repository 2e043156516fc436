import { defineConfig, type ViteUserConfig } from "vitest/config";
import { HOSTS } from "./hosts/hosts.ts";
import { hostModules } from "./hosts/vitest-plugin.ts";

/** Tests of code that calls into the host; they run on every host, the others once. */
const HOST_TESTS = [
	"test/messages*.test.ts",
	"test/stream*.test.ts",
	"test/stream/*.test.ts",
	"test/commands/*.test.ts",
];
const [newest, ...older] = HOSTS;

const config: ViteUserConfig = defineConfig({
	test: {
		globalSetup: ["test/support/guard.ts"],
		testTimeout: 90_000,
		hookTimeout: 30_000,
		expect: { poll: { timeout: 20_000, interval: 50 } },
		// The end-to-end tests mostly wait for processes, so a worker more than cores is well used.
		maxWorkers: 4,
		projects: [
			{
				extends: true,
				plugins: [await hostModules(newest)],
				test: { name: `pi ${newest}`, include: ["test/**/*.test.ts"] },
			},
			...(await Promise.all(
				older.map(async (host) => ({
					extends: true as const,
					plugins: [await hostModules(host)],
					test: { name: `pi ${host}`, include: HOST_TESTS },
				})),
			)),
		],
	},
});

export default config;
