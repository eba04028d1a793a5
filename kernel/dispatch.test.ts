// Switching on the shipped kernel: who runs next and what a task is answered.

import { testCases } from "./testing/cases.test-support.ts";
import { switchingChecks } from "./testing/checks/switching.ts";

testCases(switchingChecks);
