// Determinism on the shipped kernel: the order of one hart, and time that passes no check (section D of docs/contract.md).

import { testCases } from "./testing/cases.test-support.ts";
import { determinismChecks } from "./testing/checks/determinism.ts";

testCases(determinismChecks);
