import type { ServerChannel } from "ssh2";
import { expect, test } from "vitest";
import { serviceCommand } from "../../../lib/service/commands.ts";
import { client, demo, scripted } from "../../support/ssh-rig.ts";

/** Ends a command as a server does. */
function end(channel: ServerChannel, code: number, stdout = "", stderr = ""): void {
	channel.write(stdout);
	channel.stderr.write(stderr);
	channel.exit(code);
	channel.end();
}

test.each([
	[0, "active\n", ""],
	[3, "", "inactive"],
	[127, "", "sh: nonsense: not found\n"],
	[1, "ünïcödé 🎉".repeat(10_000), "é".repeat(10_000)],
])("reports that a command ended with %i", async (code, stdout, stderr) => {
	const seen: string[] = [];
	const { port, home } = await scripted({
		exec: (channel, command) => {
			seen.push(command);
			end(channel, code, stdout, stderr);
		},
	});
	const result = await client(home, port).exec("systemctl --user 'is active'");
	expect(result).toEqual({ code, signal: undefined, stdout, stderr });
	expect(seen).toEqual(["systemctl --user 'is active'"]);
});

test("a signal is an end of its own kind", async () => {
	const { port, home } = await scripted({
		exec: (channel) => {
			channel.exit("KILL");
			channel.end();
		},
	});
	expect(await client(home, port).exec("x")).toMatchObject({ code: undefined, signal: "SIGKILL" });
});

test("a command has no input", async () => {
	const { port, home } = await scripted({
		exec: (channel) => {
			channel.resume();
			channel.on("end", () => end(channel, 0, "no input"));
		},
	});
	expect(await client(home, port).exec("cat")).toMatchObject({ code: 0, stdout: "no input" });
});

test.each<readonly [string, (channel: ServerChannel, cut: () => void) => void]>([
	["the channel closes without an exit status", (channel) => channel.close()],
	[
		"the channel closes after all of the output, without an exit status",
		(channel) => {
			channel.write("done\n");
			channel.end();
		},
	],
	["the connection is cut", (_channel, cut) => cut()],
	[
		"the connection is cut after some output",
		(channel, cut) => {
			channel.write("done\n", cut);
		},
	],
])("never resolves when %s", async (_what, serve) => {
	const { port, home } = await scripted({ exec: (channel, _command, cut) => serve(channel, cut) });
	await expect(client(home, port).exec("restart")).rejects.toMatchObject({
		name: "AiServerError",
		code: "ssh",
	});
});

test("a server that runs no commands is an error", async () => {
	const { port, home } = await scripted({});
	await expect(client(home, port).exec("x")).rejects.toMatchObject({
		code: "ssh",
		message: "The SSH server does not run commands",
	});
});

test("more than 1 MiB of output is refused, and just as much is not", async () => {
	const { port, home, logins } = await scripted({
		exec: (channel, size) => end(channel, 0, "x".repeat(Number(size)), "y".repeat(40)),
	});
	const ssh = client(home, port);
	expect(await ssh.exec(String(1024 * 1024 - 40))).toMatchObject({ code: 0 });
	await expect(ssh.exec(String(1024 * 1024 - 39))).rejects.toMatchObject({
		code: "ssh",
		message: "The command printed more than 1048576 bytes",
	});
	expect(await ssh.exec("1")).toMatchObject({ code: 0 });
	expect(logins).toHaveLength(1);
});

test("a command that hangs is given up, its channel is closed and the login kept", async () => {
	const { promise: closed, resolve } = Promise.withResolvers<void>();
	const { port, home, logins } = await scripted({
		exec: (channel, command) => {
			if (command === "hang") channel.once("close", resolve).resume();
			else end(channel, 0);
		},
	});
	const ssh = client(home, port);
	await expect(ssh.exec("hang", { deadlineMs: 50 })).rejects.toMatchObject({
		code: "timeout",
		message: "The command on the server did not end within 0.05 s",
	});
	await closed;
	expect(await ssh.exec("x")).toMatchObject({ code: 0 });
	expect(logins).toHaveLength(1);
});

test("an abort rejects with its reason and closes the channel", async () => {
	const { promise: running, resolve: run } = Promise.withResolvers<void>();
	const { promise: closed, resolve } = Promise.withResolvers<void>();
	const { port, home } = await scripted({
		exec: (channel) => {
			channel.once("close", resolve).resume();
			run();
		},
	});
	const controller = new AbortController();
	const rejected = expect(
		client(home, port).exec("hang", { signal: controller.signal }),
	).rejects.toSatisfy((error: unknown) => error === controller.signal.reason);
	await running;
	controller.abort();
	await rejected;
	await closed;
});

test("commands at the same time share one login and keep their output apart", async () => {
	const { port, home, logins } = await scripted({
		exec: (channel, command) => end(channel, Number(command), `out ${command}`),
	});
	const ssh = client(home, port);
	const results = await Promise.all([1, 2, 3, 4, 5].map((n) => ssh.exec(String(n))));
	expect(results.map(({ code, stdout }) => [code, stdout])).toEqual(
		[1, 2, 3, 4, 5].map((n) => [n, `out ${n}`]),
	);
	expect(logins).toHaveLength(1);
});

test.each([
	"systemctl --user is-active llama-swap.service",
	serviceCommand("user", "llama-swap.service", "is-active"),
])("the demo's server runs %s", async (command) => {
	const { ssh } = await demo();
	expect(await ssh.exec(command)).toMatchObject({ code: 0, stdout: "active\n" });
});

test("the demo's server runs nothing else", async () => {
	const { ssh } = await demo();
	expect(await ssh.exec("reboot")).toMatchObject({
		code: 127,
		stdout: "",
		stderr: "reboot: command not found\n",
	});
});
