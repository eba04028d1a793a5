// The console of the shipped kernel: clause T5.

import { testCases } from "../verify/rig/cases.test-support.ts";
import { consoleChecks } from "../verify/clauses/console.ts";

testCases(consoleChecks);
