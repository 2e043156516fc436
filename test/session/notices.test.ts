import { expect, test } from "vitest";
import { createNotices } from "../../session/notices.ts";

test("a warning goes to the session that started last, and nowhere before the first", () => {
	const notices = createNotices();
	const shown: string[] = [];
	notices.warn("too early");
	notices.showIn({ warn: (text) => shown.push(`first ${text}`) });
	notices.warn("a");
	notices.showIn({ warn: (text) => shown.push(`second ${text}`) });
	notices.warn("b");
	expect(shown).toEqual(["first ai-server: a", "second ai-server: b"]);
});
