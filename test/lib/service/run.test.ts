import { expect, test } from "vitest";
import { serviceCommand } from "../../../lib/service/commands.ts";
import { runService, type Service } from "../../../lib/service/run.ts";
import type { ExecResult, Ssh } from "../../../lib/ssh/types.ts";

const SERVICE: Service = { scope: "user", unit: "llama-swap.service", user: "me" };

function ending(
	result: Partial<ExecResult>,
	asked: (readonly unknown[])[] = [],
): Pick<Ssh, "exec"> {
	return {
		async exec(...given) {
			asked.push(given);
			return { code: 0, signal: undefined, stdout: "", stderr: "", ...result };
		},
	};
}

test("it runs the command of the action and gives what that printed", async () => {
	const asked: (readonly unknown[])[] = [];
	const { signal } = new AbortController();
	const ssh = ending({ stdout: "a line\n" }, asked);
	expect(await runService(ssh, SERVICE, "journal", signal)).toBe("a line\n");
	const command = serviceCommand("user", "llama-swap.service", "journal");
	expect(asked).toEqual([[command, { signal, deadlineMs: 90_000 }]]);
});

test("an exit code other than 0 is the error of the service manager", async () => {
	const ssh = ending({ code: 5, stderr: "Unit llama-swap.service not found.\n" });
	await expect(runService(ssh, SERVICE, "restart")).rejects.toMatchObject({
		code: "ssh",
		message: expect.stringMatching(/^The service llama-swap\.service does not exist /),
		settings: ["serviceUnit", "serviceScope"],
	});
});

test("an end by a signal is an error, whatever was printed", async () => {
	const ssh = ending({ code: undefined, signal: "SIGKILL", stdout: "active\n" });
	await expect(runService(ssh, SERVICE, "is-active")).rejects.toThrow("was interrupted");
});

test("an unusable unit runs nothing", async () => {
	const asked: (readonly unknown[])[] = [];
	const service = { ...SERVICE, unit: "a; reboot" };
	await expect(runService(ending({}, asked), service, "restart")).rejects.toMatchObject({
		code: "settings",
	});
	expect(asked).toEqual([]);
});
