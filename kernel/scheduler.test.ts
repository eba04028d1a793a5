// Stealing and "each task in one place" on the shipped kernel: section S of the contract.

import { testCases } from "../verify/rig/cases.test-support.ts";
import { conservationChecks } from "../verify/clauses/conservation.ts";
import { patternChecks } from "../verify/clauses/patterns.ts";
import { stealChecks } from "../verify/clauses/stealing.ts";

testCases(stealChecks);
testCases(conservationChecks);
testCases(patternChecks);
