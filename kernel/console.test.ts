// The console of the shipped kernel: clause T5.

import { testCases } from "./testing/cases.test-support.ts";
import { consoleChecks } from "./testing/checks/console.ts";

testCases(consoleChecks);
