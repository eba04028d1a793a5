// What the shipped kernel takes from the board: harts, CPUs, and the way to ring them.

import { testCases } from "./testing/cases.test-support.ts";
import { boardChecks } from "./testing/checks/board.ts";

testCases(boardChecks);
