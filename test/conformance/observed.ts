import type { Outcome } from "./scenario.ts";
export const OBSERVED: Outcome = { events: "", message: "" };
