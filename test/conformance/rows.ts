import type { Row } from "./scenario.ts";
import { TEXT } from "./text.ts";

export const ROWS: readonly Row[] = [...TEXT];
