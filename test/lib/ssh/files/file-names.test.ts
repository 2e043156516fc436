import { expect, test } from "vitest";
import {
	backupPath,
	backupTimes,
	leftovers,
	writeNames,
} from "../../../../lib/ssh/files/file-names.ts";

const NOW = new Date("2026-11-21T08:00:00.999Z");

test("backup times follow each other and sort by time", () => {
	const times = backupTimes(NOW, 3);
	expect(times).toEqual(["20261121T080000.999Z", "20261121T080001.000Z", "20261121T080001.001Z"]);
	expect(times.toSorted()).toEqual(times);
});

test("all but the newest backups and every draft of the file can go", () => {
	const ours = backupTimes(NOW, 4).map((time) => backupPath("c.yaml", time));
	const { draft, oldDraft, lock } = writeNames("c.yaml", "0a-b_c");
	const other = backupPath("d.yaml", "20261121T080000.999Z");
	const names = [ours[2], other, "c.yaml", ours[0], draft, lock, ours[3], oldDraft, ours[1]];
	const known = names.filter((name) => name !== undefined);
	expect(leftovers(known, "c.yaml", 2)).toEqual([ours[0], ours[1], draft, oldDraft]);
	expect(leftovers(known, "c.yaml", 4)).toEqual([draft, oldDraft]);
});

test.each(["c.yaml.bak", "c.yaml.bak-20261121T080000Z", "c.yaml.ai-server.tmp", "c.yaml.tmp", ""])(
	"%j is no name of ours",
	(name) => {
		expect(leftovers([name], "c.yaml", 0)).toEqual([]);
	},
);
