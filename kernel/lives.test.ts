// Lives on the shipped kernel: a task's record, id and events, from one life of its entry to the next.

import { testCases } from "../verify/rig/cases.test-support.ts";
import { lifeChecks } from "../verify/clauses/lives.ts";

testCases(lifeChecks);
