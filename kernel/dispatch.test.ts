// Switching on the shipped kernel: who runs next, what a task is answered, the tables at their ends, and races of two harts.

import { testCases } from "../verify/rig/cases.test-support.ts";
import { attentionChecks } from "../verify/clauses/attention.ts";
import { lookupChecks } from "../verify/clauses/lookups.ts";
import { parkingChecks } from "../verify/clauses/parking.ts";
import { raceChecks } from "../verify/clauses/races.ts";
import { retryChecks } from "../verify/clauses/retries.ts";
import { switchingChecks } from "../verify/clauses/switching.ts";
import { tableChecks } from "../verify/clauses/tables.ts";

testCases(attentionChecks);
testCases([...switchingChecks, ...parkingChecks, ...tableChecks, ...raceChecks, ...retryChecks, ...lookupChecks]);
