import { expect, test } from "vitest";
import { createQuestions } from "../../ui/ssh-prompts.ts";

type Asked = Parameters<ReturnType<typeof createQuestions>["during"]>[0];

function screen(hasUI = true) {
	const asked: string[] = [];
	const ui = {
		confirm: async (title: string, message: string) => {
			asked.push(`${title} ${message}`);
			return true;
		},
		input: async (title: string) => {
			asked.push(title);
			return "secret";
		},
		notify: (text: string) => void asked.push(text),
	};
	return { asked, context: { hasUI, ui } as unknown as Asked };
}

const KEY = {
	host: "box.example",
	keyType: "ssh-ed25519",
	fingerprint: "SHA256:abc",
	onlyAuthority: false,
};

test("an unknown host key is asked about while a command runs, and only then", async () => {
	const { prompts, during } = createQuestions();
	const { asked, context } = screen();
	expect(await prompts.confirmHostKey?.(KEY)).toBeUndefined();
	expect(await during(context, async () => prompts.confirmHostKey?.(KEY))).toBe(true);
	expect(await prompts.confirmHostKey?.(KEY)).toBeUndefined();
	expect(asked).toHaveLength(1);
	expect(asked[0]).toMatch(/box\.example.*ssh-ed25519 SHA256:abc.*ssh-keygen -lf/);
});

test("a passphrase is asked for again when it was wrong", async () => {
	const { prompts, during } = createQuestions();
	const { asked, context } = screen();
	await during(context, async () => {
		expect(await prompts.askPassphrase?.("~/.ssh/key", 1)).toBe("secret");
		expect(await prompts.askPassphrase?.("~/.ssh/key", 2)).toBe("secret");
	});
	expect(asked).toHaveLength(2);
	expect(asked[0]).toContain("~/.ssh/key");
	expect(asked[1]).toMatch(/wrong/i);
});

test("the command that began last is the one that asks; a failure ends its turn", async () => {
	const { prompts, during } = createQuestions();
	const outer = screen();
	const inner = screen();
	await during(outer.context, async () => {
		const failed = during(inner.context, async () => {
			await prompts.confirmHostKey?.(KEY);
			throw new Error("gone");
		});
		await expect(failed).rejects.toThrow("gone");
		await prompts.confirmHostKey?.(KEY);
	});
	expect([outer.asked.length, inner.asked.length]).toEqual([1, 1]);
});

test("in a mode that cannot ask no question is asked", async () => {
	const { prompts, during } = createQuestions();
	const { asked, context } = screen(false);
	expect(await during(context, async () => prompts.confirmHostKey?.(KEY))).toBeUndefined();
	expect(asked).toEqual([]);
});
