// Determinism on the shipped kernel: the order of one hart, and time that passes no check (section D of docs/contract.md).

import { testCases } from "../verify/rig/cases.test-support.ts";
import { determinismChecks } from "../verify/clauses/determinism.ts";

testCases(determinismChecks);
