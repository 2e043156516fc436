// Replaces a file over SFTP until it is killed: node replace-child.ts <port> <path> <bytes>
import { once } from "node:events";
import { connect } from "node:net";
import ssh2, { type SFTPWrapper } from "ssh2";
import { replaceFile } from "../../lib/ssh/files/replace.ts";
import { createSftp } from "../../lib/ssh/files/sftp.ts";

const [port = "", path = "", bytes = ""] = process.argv.slice(2);
const client = new ssh2.Client();
const sock = connect({ host: "127.0.0.1", port: Number(port), noDelay: true });
client.connect({ sock, username: "demo", hostVerifier: () => true });
await once(client, "ready");
const sftp = await new Promise<SFTPWrapper>((resolve, reject) => {
	client.sftp((error, opened) => (error === undefined ? resolve(opened) : reject(error)));
});
const old = await new Promise<Buffer>((resolve, reject) => {
	sftp.readFile(path, (error, text) => (error === undefined ? resolve(text) : reject(error)));
});
await replaceFile(createSftp(sftp, new Promise(() => undefined)), path, {
	expected: old,
	content: Buffer.alloc(Number(bytes), "new "),
	now: new Date(),
	suffix: `child${process.pid}`,
});
client.end();
