import { generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { createAuthority, writeClientFiles } from "../../demo/authority.ts";
import { type Box, startBox } from "../../demo/box.ts";
import { boxEnv } from "../support/boxed.ts";
import { HOSTS } from "../support/hosts.ts";
import { type Isolated, isolate, type Rpc, startRpc } from "../support/pi.ts";

let box: Box | undefined;
let place: Isolated | undefined;
let rpc: Rpc | undefined;
afterEach(async () => {
	await rpc?.close();
	await box?.close();
	await place?.remove();
});

interface Fault {
	readonly name: string;
	/** Breaks something and returns what to set beside the box's own settings. */
	readonly arrange: (box: Box) => Promise<Readonly<Record<string, string>>>;
	/** The line that the user sees; `<url>`, `<ssh>` and `<certs>` stand for the box's. */
	readonly line: string;
}

const NEVER = "Built-in list; the server was never reached";
const PROBABLY =
	"Context windows that may be wrong: mystery-7B, small-talk-1B, MiniMax-M2.7-IQ3_XXS and 1 more";

const FAULTS: readonly Fault[] = [
	{
		name: "the server is down",
		arrange: async ({ front }) => {
			await front.close();
			return {};
		},
		line: `Nothing listens at <url> (connection refused). Start the proxy there, or check the URL (AI_SERVER_URL). ${NEVER}`,
	},
	{
		name: "no certificate",
		arrange: async () => ({ AI_SERVER_CLIENT_CERT: "/nonexistent/client.pem" }),
		line: `The client certificate /nonexistent/client.pem does not exist. Copy the file there, or set its path (AI_SERVER_CLIENT_CERT, AI_SERVER_CERTS_DIR). ${NEVER}`,
	},
	{
		name: "another CA",
		arrange: async ({ certsDir }) => {
			await writeFile(join(certsDir, "root-ca.pem"), (await createAuthority("another")).ca);
			return {};
		},
		line: `The certificate of <url> is not signed by the CA in the CA file. Use the file of the CA that signed the proxy's certificate (AI_SERVER_CA). ${NEVER}`,
	},
	{
		name: "a client certificate that another CA signed",
		arrange: async ({ certsDir, authority }) => {
			const other = await createAuthority("another");
			await writeClientFiles(certsDir, authority.ca, await other.client());
			return {};
		},
		line: `<url> refused the client certificate, or closed the connection without an answer. Check that client.pem is signed by the CA that the proxy trusts, and that it has not expired. ${NEVER}`,
	},
	{
		name: "a key of another certificate",
		arrange: async ({ certsDir }) => {
			const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
			const key = privateKey.export({ type: "pkcs8", format: "pem" });
			await writeFile(join(certsDir, "client-key.pem"), key);
			return {};
		},
		line: `The client key does not belong to the client certificate. Copy both again: <certs>/client.pem and <certs>/client-key.pem are not a pair. ${NEVER}`,
	},
	{
		name: "an expired client certificate",
		arrange: async ({ certsDir, authority }) => {
			const past = { notBefore: new Date("2020-01-01"), notAfter: new Date("2020-02-01") };
			await writeClientFiles(certsDir, authority.ca, await authority.client(past));
			return {};
		},
		line: `The client certificate expired on 2020-02-01. Have a new one signed and save it as <certs>/client.pem. ${NEVER}`,
	},
	{
		name: "SSH refused",
		arrange: async ({ ssh }) => {
			await ssh.close();
			return {};
		},
		line: `The server's config could not be read: No SSH server listens at <ssh>. Check the SSH target, or set it to none (AI_SERVER_SSH_HOST). ${PROBABLY}`,
	},
	{
		name: "an unknown SSH host key",
		arrange: async ({ ssh, home }) => {
			await ssh.writeClientFiles(home, "none");
			return {};
		},
		line: `The server's config could not be read: The host key of [127.0.0.1]:<sshport> is unknown: SHA256:`,
	},
	{
		name: "a changed SSH host key",
		arrange: async ({ ssh, home }) => {
			await ssh.writeClientFiles(home, "wrong");
			return {};
		},
		line: `The server's config could not be read: The host key of [127.0.0.1]:<sshport> has changed: it is SHA256:`,
	},
	{
		name: "garbage instead of a model list",
		arrange: async () => ({ AI_SERVER_MODELS_PATH: "/health" }),
		line: `The model list is not what llama-swap sends, but "OK". Check that the URL leads to llama-swap and not to some other page (AI_SERVER_URL). ${NEVER}`,
	},
	{
		name: "AI_SERVER_URL=nonsense",
		arrange: async () => ({ AI_SERVER_URL: "nonsense" }),
		line: `AI_SERVER_URL is not a URL. Write it like https://ai.example.net. ${NEVER}`,
	},
	{
		name: "a bad number beside it",
		arrange: async () => ({ AI_SERVER_TIMEOUT_MS: "soon" }),
		line: "AI_SERVER_TIMEOUT_MS is not a number of milliseconds. Give a whole number such as 300000",
	},
];

const ROWS = FAULTS.flatMap((fault) => HOSTS.map((host) => [fault.name, host, fault] as const));

test.each(ROWS)(
	"%s: pi %s starts, has models, and says in one line what to do",
	async (_name, host, fault) => {
		box = await startBox();
		place = await isolate();
		const settings = boxEnv(box);
		const more = await fault.arrange(box);
		rpc = startRpc({ host, place, env: { ...settings, ...more } });
		const { data } = (await rpc.send({ type: "get_available_models" })) as {
			data?: { models?: readonly { provider: string }[] };
		};
		const own = data?.models?.filter(({ provider }) => provider === "ai-server") ?? [];
		expect(own.length).toBeGreaterThan(1);
		const ssh = settings["AI_SERVER_SSH_HOST"]?.replace("demo@", "") ?? "";
		const line = fault.line
			.replaceAll("<url>", box.url)
			.replaceAll("<sshport>", ssh.replace("127.0.0.1:", ""))
			.replaceAll("<ssh>", ssh)
			.replaceAll("<certs>", box.certsDir);
		await expect.poll(() => rpc?.notices()).toHaveLength(1);
		expect(rpc.notices()[0]).toContain(`ai-server: ${line}`);
		expect(rpc.notices()[0]).not.toContain("\n");
	},
);
