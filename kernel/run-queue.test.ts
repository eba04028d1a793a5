// The run queue, the mailbox and changes of class on the shipped kernel: section Q of the contract.

import { testCases } from "./testing/cases.test-support.ts";
import { classChecks } from "./testing/checks/classes.ts";
import { inversionChecks } from "./testing/checks/inversion.ts";
import { refusalChecks } from "./testing/checks/refusals.ts";
import { queueChecks } from "./testing/checks/queues.ts";

testCases(queueChecks);
testCases(classChecks);
testCases(inversionChecks);
testCases(refusalChecks);
