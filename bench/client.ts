// One sample of a stream that is called directly: `client.ts <bare|ours> <workload> <origin>`.
import { barePool, bareReader, eventReader, ownStream } from "./readers.ts";
import { takeSample } from "./sample.ts";
import { parseWorkload, warmUp } from "./workloads.ts";

const [variant = "", model = "", origin = ""] = process.argv.slice(2);
const workload = parseWorkload(model);
const read =
	variant === "bare" ? bareReader(barePool(origin)) : eventReader(ownStream({ baseUrl: origin }));
const warmUps = Array.from({ length: 3 }, () => warmUp(workload));
const sample = await takeSample(read, { model, ...workload, warmUps });
process.stdout.write(JSON.stringify(sample), () => process.exit(0));
