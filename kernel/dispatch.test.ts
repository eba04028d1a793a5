// Switching on the shipped kernel: who runs next, what a task is answered, and the tables at their ends.

import { testCases } from "./testing/cases.test-support.ts";
import { parkingChecks } from "./testing/checks/parking.ts";
import { switchingChecks } from "./testing/checks/switching.ts";
import { tableChecks } from "./testing/checks/tables.ts";

testCases([...switchingChecks, ...parkingChecks, ...tableChecks]);
