// The chat stream against the floor and against pi's own provider: medians of processes of their
// own, in turns. `--quick` takes fewer samples. The exit code is 1 when a goal is missed by more
// than the run's own noise.
import { startChildren } from "./children.ts";
import { isMissed, table } from "./goals.ts";
import { directStreams, hostStreams } from "./streams.ts";
import { idleMinute, turns } from "./turns.ts";

const quick = process.argv.includes("--quick");
const samples = quick ? { direct: 3, host: 1 } : { direct: 7, host: 3 };
const children = await startChildren();
try {
	const idle = idleMinute(children);
	const findings = [
		...(await directStreams(children, samples.direct)),
		...(await hostStreams(children, samples.host)),
		...(await turns(children, samples.host)),
		await idle,
	];
	console.log(table(findings));
	const missed = findings.filter(isMissed);
	console.log(`${findings.length - missed.length} of ${findings.length} goals met`);
	if (missed.length > 0) process.exitCode = 1;
} finally {
	await children.close();
}
