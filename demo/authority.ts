import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
	createRoot,
	ExtendedKeyUsage,
	type Identity,
	openIssuer,
	type Validity,
	validFor,
} from "../scripts/issuer.ts";

export type { Identity };

/** A certificate authority that lives as long as the process. */
export interface Authority {
	/** PEM of the CA itself. */
	readonly ca: string;
	/** For 127.0.0.1 and localhost. */
	server(validity?: Partial<Validity>): Promise<Identity>;
	client(options?: Partial<Validity> & { readonly usage?: ExtendedKeyUsage }): Promise<Identity>;
}

/** Tests issue certificates for other centuries, and none outlives its CA. */
const ROOT_DAYS = 200 * 365;
const LEAF_DAYS = 30;

export async function createAuthority(name = "ai-server demo CA"): Promise<Authority> {
	const now = new Date();
	const root = await createRoot(name, validFor(ROOT_DAYS, now));
	const issuer = await openIssuer(root, now);
	const validity = (own: Partial<Validity>): Validity => ({
		...validFor(LEAF_DAYS, new Date()),
		...own,
	});
	return {
		ca: root.cert,
		server: (own = {}) =>
			issuer.issue({
				subject: "localhost",
				usage: ExtendedKeyUsage.serverAuth,
				validity: validity(own),
				hosts: ["localhost", "127.0.0.1"],
			}),
		client: ({ usage = ExtendedKeyUsage.clientAuth, ...own } = {}) =>
			issuer.issue({ subject: "demo client", usage, validity: validity(own) }),
	};
}

/** The three files under the names that the extension looks for; the key for its owner only. */
export async function writeClientFiles(
	folder: string,
	ca: string,
	identity: Identity,
): Promise<void> {
	await mkdir(folder, { recursive: true, mode: 0o700 });
	await writeFile(join(folder, "root-ca.pem"), ca);
	await writeFile(join(folder, "client.pem"), identity.cert);
	await writeFile(join(folder, "client-key.pem"), identity.key, { mode: 0o600 });
}
