import { expect, test } from "vitest";
import { lazySsh } from "../../../lib/ssh/lazy-connection.ts";
import type { Ssh } from "../../../lib/ssh/types.ts";

/** An Ssh that answers with the name of the method and what it was given. */
function telling(log: string[]): Ssh {
	const tell =
		(name: string) =>
		async (...given: readonly unknown[]): Promise<never> =>
			`${name} ${JSON.stringify(given)}` as never;
	return {
		target: "demo@box",
		readFile: tell("readFile"),
		readRange: tell("readRange"),
		exec: tell("exec"),
		withSftp: tell("withSftp"),
		close: () => void log.push("closed"),
	};
}

test("opens once, at the first operation, and hands everything on", async () => {
	const log: string[] = [];
	const ssh = lazySsh(async () => {
		log.push("opened");
		return telling(log);
	}, "demo@box");
	expect(ssh.target).toBe("demo@box");
	expect(log).toEqual([]);
	const limits = { deadlineMs: 1 };
	expect(await Promise.all([ssh.readFile("a", { maxBytes: 2 }), ssh.exec("b", limits)])).toEqual([
		'readFile ["a",{"maxBytes":2}]',
		'exec ["b",{"deadlineMs":1}]',
	]);
	expect(await ssh.readRange("c", 3, 4, limits)).toBe('readRange ["c",3,4,{"deadlineMs":1}]');
	expect(await ssh.withSftp(async () => 5, limits)).toBe('withSftp [null,{"deadlineMs":1}]');
	expect(log).toEqual(["opened"]);
	ssh.close();
	await expect.poll(() => log).toEqual(["opened", "closed"]);
});

test("what keeps it from opening, every operation rejects with", async () => {
	const why = new Error("no");
	const ssh = lazySsh(() => Promise.reject(why));
	expect(ssh.target).toBe("the SSH host");
	await expect(ssh.readFile("a", { maxBytes: 2 })).rejects.toBe(why);
	await expect(ssh.exec("a")).rejects.toBe(why);
	ssh.close();
});

test("closing what was never opened opens nothing", () => {
	lazySsh(() => Promise.reject(new Error("opened"))).close();
});
