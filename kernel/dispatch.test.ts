// Switching on the shipped kernel: who runs next, what a task is answered, the tables at their ends, and races of two harts.

import { testCases } from "./testing/cases.test-support.ts";
import { lookupChecks } from "./testing/checks/lookups.ts";
import { parkingChecks } from "./testing/checks/parking.ts";
import { raceChecks } from "./testing/checks/races.ts";
import { retryChecks } from "./testing/checks/retries.ts";
import { switchingChecks } from "./testing/checks/switching.ts";
import { tableChecks } from "./testing/checks/tables.ts";

testCases([...switchingChecks, ...parkingChecks, ...tableChecks, ...raceChecks, ...retryChecks, ...lookupChecks]);
