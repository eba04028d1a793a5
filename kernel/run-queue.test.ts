// The run queue, the mailbox and changes of class on the shipped kernel: section Q of the contract.

import { testCases } from "../verify/rig/cases.test-support.ts";
import { classChecks } from "../verify/clauses/classes.ts";
import { inversionChecks } from "../verify/clauses/inversion.ts";
import { refusalChecks } from "../verify/clauses/refusals.ts";
import { queueChecks } from "../verify/clauses/queues.ts";

testCases(queueChecks);
testCases(classChecks);
testCases(inversionChecks);
testCases(refusalChecks);
