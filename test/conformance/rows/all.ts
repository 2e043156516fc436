import type { Row } from "../runner/scenario.ts";
import { ASSISTANTS } from "./assistants.ts";
import { BROKEN } from "./broken.ts";
import { FINISHES } from "./finishes.ts";
import { LATE_FAULTS } from "./late-faults.ts";
import { PROMPTS } from "./prompts.ts";
import { REFUSALS } from "./refusals.ts";
import { REQUESTS } from "./requests.ts";
import { RESULTS } from "./results.ts";
import { SUITE } from "./suite.ts";
import { TEXT } from "./text.ts";
import { THOUGHTS } from "./thoughts.ts";
import { TOOL_FORMS } from "./tool-forms.ts";
import { TOOLS } from "./tools.ts";
import { TRANSPORT } from "./transport.ts";
import { USAGES } from "./usages.ts";
import { USERS } from "./users.ts";

/** The whole table. */
export const ROWS: readonly Row[] = [
	...PROMPTS,
	...USERS,
	...ASSISTANTS,
	...THOUGHTS,
	...RESULTS,
	...REQUESTS,
	...TRANSPORT,
	...TEXT,
	...TOOLS,
	...TOOL_FORMS,
	...USAGES,
	...FINISHES,
	...BROKEN,
	...LATE_FAULTS,
	...REFUSALS,
	...SUITE,
];
