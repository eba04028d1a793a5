// Joining on the shipped kernel: what a hart's region holds once it is online.

import { testCases } from "../verify/rig/cases.test-support.ts";
import { joiningChecks } from "../verify/clauses/joining.ts";

testCases(joiningChecks);
