// Answers on the shipped kernel: the boot hart's operations and wakes, by the place in which they find their task, and
// where others are faster every time.

import { testCases } from "../verify/rig/cases.test-support.ts";
import { answerChecks } from "../verify/clauses/answers.ts";
import { contentionChecks } from "../verify/clauses/contention.ts";

testCases([...answerChecks, ...contentionChecks]);
