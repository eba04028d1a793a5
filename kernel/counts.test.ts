// Counting on the shipped kernel: counters of harts, records of tasks, the boot hart's own count.

import { testCases } from "../verify/rig/cases.test-support.ts";
import { countChecks } from "../verify/clauses/counts.ts";

testCases(countChecks);
