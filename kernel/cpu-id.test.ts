// The CPU identity on the shipped kernel: section C of the contract.

import { testCases } from "../verify/rig/cases.test-support.ts";
import { identityChecks } from "../verify/clauses/identity.ts";

testCases(identityChecks);
