import { defineConfig, type ViteUserConfig } from "vitest/config";
import { hostModules } from "./hosts/vitest-plugin.ts";
import { PARTS } from "./test/suites.ts";

const config: ViteUserConfig = defineConfig({
	test: {
		globalSetup: ["test/support/guard.ts"],
		hookTimeout: 30_000,
		expect: { poll: { timeout: 20_000, interval: 50 } },
		// The end-to-end tests mostly wait for processes, so a worker more than cores is well used.
		maxWorkers: 4,
		projects: await Promise.all(
			PARTS.map(async ({ name, host, include, exclude = [], env, timeout = 90_000 }) => ({
				extends: true as const,
				plugins: [await hostModules(host)],
				test: {
					name,
					include: [...include],
					exclude: [...exclude],
					env: { PI_HOST: host, ...env },
					testTimeout: timeout,
				},
			})),
		),
	},
});

export default config;
