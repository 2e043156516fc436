import { ASSISTANTS } from "./assistants.ts";
import { BROKEN } from "./broken.ts";
import { ENDS } from "./ends.ts";
import { PROMPTS } from "./prompts.ts";
import { REFUSALS } from "./refusals.ts";
import { REQUESTS } from "./requests.ts";
import { RESULTS } from "./results.ts";
import type { Row } from "./scenario.ts";
import { SUITE } from "./suite.ts";
import { TEXT } from "./text.ts";
import { TOOLS } from "./tools.ts";
import { TRANSPORT } from "./transport.ts";
import { USERS } from "./users.ts";

/** The whole table. */
export const ROWS: readonly Row[] = [
	...PROMPTS,
	...USERS,
	...ASSISTANTS,
	...RESULTS,
	...REQUESTS,
	...TRANSPORT,
	...TEXT,
	...TOOLS,
	...ENDS,
	...BROKEN,
	...REFUSALS,
	...SUITE,
];
