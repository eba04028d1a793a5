// Stealing and "each task in one place" on the shipped kernel: section S of the contract.

import { testCases } from "./testing/cases.test-support.ts";
import { conservationChecks } from "./testing/checks/conservation.ts";
import { stealChecks } from "./testing/checks/stealing.ts";

testCases(stealChecks);
testCases(conservationChecks);
