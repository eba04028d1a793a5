// The resched chain, waking and the mailbox on the shipped kernel: section I of the contract.

import { postingChecks } from "../verify/clauses/posting.ts";
import { wakeChecks } from "../verify/clauses/waking.ts";
import { testCases } from "../verify/rig/cases.test-support.ts";
import { endChecks } from "../verify/clauses/ends.ts";
import { limitChecks } from "../verify/clauses/limits.ts";
import { requestChecks } from "../verify/clauses/requests.ts";
import { reschedChecks } from "../verify/clauses/resched.ts";
import { unsentChecks } from "../verify/clauses/unsent.ts";

testCases([...reschedChecks, ...wakeChecks, ...postingChecks]);
testCases(limitChecks);
testCases([...requestChecks, ...unsentChecks, ...endChecks]);
