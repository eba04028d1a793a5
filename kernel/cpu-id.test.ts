// The CPU identity on the shipped kernel: section C of the contract.

import { testCases } from "./testing/cases.test-support.ts";
import { identityChecks } from "./testing/checks/identity.ts";

testCases(identityChecks);
