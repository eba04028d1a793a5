// Traps, system calls and the runtime authority on the shipped kernel: section T of the contract.

import { testCases } from "../verify/rig/cases.test-support.ts";
import { authorityChecks } from "../verify/clauses/authority.ts";
import { callChecks } from "../verify/clauses/calls.ts";
import { pairChecks } from "../verify/clauses/pairs.ts";

testCases(authorityChecks);
testCases(callChecks);
testCases(pairChecks);
