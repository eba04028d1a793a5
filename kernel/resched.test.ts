// The resched chain, waking and the mailbox on the shipped kernel: section I of the contract.

import { testCases } from "./testing/cases.test-support.ts";
import { limitChecks } from "./testing/checks/limits.ts";
import { reschedChecks } from "./testing/checks/resched.ts";

testCases(reschedChecks);
testCases(limitChecks);
