// Traps, system calls and the runtime authority on the shipped kernel: section T of the contract.

import { testCases } from "./testing/cases.test-support.ts";
import { authorityChecks } from "./testing/checks/authority.ts";
import { callChecks } from "./testing/checks/calls.ts";

testCases(authorityChecks);
testCases(callChecks);
