// What the shipped kernel takes from the board: harts, CPUs, and the way to ring them.

import { testCases } from "../verify/rig/cases.test-support.ts";
import { boardChecks } from "../verify/clauses/board.ts";

testCases(boardChecks);
