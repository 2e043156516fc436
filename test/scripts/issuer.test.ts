import { X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { createRoot, ExtendedKeyUsage, openIssuer, validFor } from "../../scripts/issuer.ts";

const NOW = new Date("2026-03-01T12:00:00Z");

test("a CA signs itself, and what it issues is signed by it", async () => {
	const root = await createRoot("root", validFor(10, NOW));
	const issuer = await openIssuer(root, NOW);
	const identity = await issuer.issue({
		subject: "box",
		usage: ExtendedKeyUsage.serverAuth,
		validity: validFor(5, NOW),
		hosts: ["box.example.net", "127.0.0.1", "::1"],
	});
	const ca = new X509Certificate(root.cert);
	const leaf = new X509Certificate(identity.cert);
	expect(ca.ca && ca.verify(ca.publicKey)).toBe(true);
	expect(leaf.checkIssued(ca) && leaf.verify(ca.publicKey)).toBe(true);
	expect(leaf.ca).toBe(false);
	expect(leaf.checkHost("box.example.net")).toBe("box.example.net");
	expect(leaf.checkIP("127.0.0.1")).toBe("127.0.0.1");
	expect(leaf.checkIP("::1")).toBe("::1");
	expect(leaf.keyUsage).toEqual([ExtendedKeyUsage.serverAuth]);
	expect(leaf.validFromDate).toEqual(new Date("2026-03-01T11:00:00Z"));
	expect(leaf.validToDate).toEqual(new Date("2026-03-06T12:00:00Z"));
});

test("no certificate is valid for longer than its CA", async () => {
	const root = await createRoot("root", validFor(10, NOW));
	const issuer = await openIssuer(root, NOW);
	const { cert } = await issuer.issue({
		subject: "laptop",
		usage: ExtendedKeyUsage.clientAuth,
		validity: validFor(100, NOW),
	});
	const leaf = new X509Certificate(cert);
	expect(leaf.validToDate).toEqual(new X509Certificate(root.cert).validToDate);
	expect(leaf.subjectAltName).toBeUndefined();
});

test("a CA that has expired is refused", async () => {
	const root = await createRoot("root", validFor(10, NOW));
	const later = new Date("2026-03-11T12:00:01Z");
	await expect(openIssuer(root, later)).rejects.toThrow("The CA has expired");
});
