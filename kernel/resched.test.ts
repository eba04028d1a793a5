// The resched chain, waking and the mailbox on the shipped kernel: section I of the contract.

import { testCases } from "../verify/rig/cases.test-support.ts";
import { limitChecks } from "../verify/clauses/limits.ts";
import { reschedChecks } from "../verify/clauses/resched.ts";

testCases(reschedChecks);
testCases(limitChecks);
