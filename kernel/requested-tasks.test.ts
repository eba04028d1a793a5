// Task tables on the shipped kernel: clause D6 of the contract.

import { taskTableChecks } from "../verify/clauses/task-tables.ts";
import { testCases } from "../verify/rig/cases.test-support.ts";

testCases(taskTableChecks);
