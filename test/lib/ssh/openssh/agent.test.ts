import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import ssh2, { type BaseAgent } from "ssh2";
import { expect, test } from "vitest";
import { askAgent } from "../../../../lib/ssh/openssh/agent.ts";
import { keyPair, temporary } from "../../../support/ssh-rig.ts";

const KEY = ssh2.utils.parseKey(keyPair().public);

/** An agent at a path that exists. */
async function ask(agent: Partial<BaseAgent>): Promise<ReturnType<typeof askAgent>> {
	const path = join(await temporary(), "socket");
	await writeFile(path, "");
	return askAgent(path, () => agent as BaseAgent, 50);
}

test("without a socket there is no agent", async () => {
	const create = (): BaseAgent => {
		throw new Error("not asked");
	};
	expect(await askAgent(undefined, create, 50)).toBeUndefined();
	expect(await askAgent(join(await temporary(), "gone"), create, 50)).toBeUndefined();
});

test("its keys are listed, and it signs with the hash that the server asks for", async () => {
	const asked: unknown[] = [];
	const agent = await ask({
		getIdentities: (done) => done(undefined, [KEY] as never),
		sign: ((_key: unknown, data: Buffer, options: unknown, done: (...all: unknown[]) => void) => {
			asked.push(options);
			done(undefined, Buffer.from(`signed ${data}`));
		}) as never,
	});
	if (typeof agent !== "object") throw new Error("no agent");
	expect(agent.keys).toEqual([KEY]);
	const [key] = agent.keys;
	if (key === undefined) throw new Error("no key");
	expect(String(await agent.sign(key, Buffer.from("a"), "sha512"))).toBe("signed a");
	expect(String(await agent.sign(key, Buffer.from("b"), undefined))).toBe("signed b");
	expect(asked).toEqual([{ hash: "sha512" }, {}]);
});

test("a refusal to sign is an error", async () => {
	const agent = await ask({
		getIdentities: (done) => done(undefined, [KEY] as never),
		sign: ((...all: readonly unknown[]) => (all[3] as (error?: Error) => void)()) as never,
	});
	if (typeof agent !== "object" || agent.keys[0] === undefined) throw new Error("no agent");
	await expect(agent.sign(agent.keys[0], Buffer.from("a"), undefined)).rejects.toThrow(
		"no signature",
	);
});

test.each<readonly [string, Partial<BaseAgent>]>([
	["never answers", { getIdentities: () => undefined }],
	["answers with an error", { getIdentities: (done) => done(new Error("locked")) }],
	[
		"throws",
		{
			getIdentities: () => {
				throw new Error("closed");
			},
		},
	],
])("an agent that %s does not answer", async (_what, agent) => {
	expect(await ask(agent)).toBe("does not answer");
});
