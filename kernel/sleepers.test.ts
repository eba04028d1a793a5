// Sleepers on the shipped kernel: the list of those who sleep on a hart, step by step.

import { testCases } from "../verify/rig/cases.test-support.ts";
import { sleeperChecks } from "../verify/clauses/sleepers.ts";

testCases(sleeperChecks);
