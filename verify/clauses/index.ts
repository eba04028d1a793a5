// All checks, by section of the contract.

import type { Case } from "../rig/case.ts";
import { answerChecks } from "./answers.ts";
import { attentionChecks } from "./attention.ts";
import { authorityChecks } from "./authority.ts";
import { boardChecks } from "./board.ts";
import { callChecks } from "./calls.ts";
import { classChecks } from "./classes.ts";
import { conservationChecks } from "./conservation.ts";
import { consoleChecks } from "./console.ts";
import { contentionChecks } from "./contention.ts";
import { countChecks } from "./counts.ts";
import { determinismChecks } from "./determinism.ts";
import { endChecks } from "./ends.ts";
import { identityChecks } from "./identity.ts";
import { inversionChecks } from "./inversion.ts";
import { joiningChecks } from "./joining.ts";
import { limitChecks } from "./limits.ts";
import { lifeChecks } from "./lives.ts";
import { lookupChecks } from "./lookups.ts";
import { machineLayerChecks } from "./machine-layer.ts";
import { pairChecks } from "./pairs.ts";
import { parkingChecks } from "./parking.ts";
import { patternChecks } from "./patterns.ts";
import { postingChecks } from "./posting.ts";
import { queueChecks } from "./queues.ts";
import { raceChecks } from "./races.ts";
import { refusalChecks } from "./refusals.ts";
import { requestChecks } from "./requests.ts";
import { reschedChecks } from "./resched.ts";
import { retryChecks } from "./retries.ts";
import { sleeperChecks } from "./sleepers.ts";
import { stealChecks } from "./stealing.ts";
import { switchingChecks } from "./switching.ts";
import { tableChecks } from "./tables.ts";
import { taskTableChecks } from "./task-tables.ts";
import { unsentChecks } from "./unsent.ts";
import { wakeChecks } from "./waking.ts";

export const allChecks: readonly Case[] = [
  ...queueChecks,
  ...classChecks,
  ...inversionChecks,
  ...refusalChecks,
  ...raceChecks,
  ...retryChecks,
  ...stealChecks,
  ...conservationChecks,
  ...reschedChecks,
  ...wakeChecks,
  ...postingChecks,
  ...limitChecks,
  ...taskTableChecks,
  ...identityChecks,
  ...boardChecks,
  ...consoleChecks,
  ...authorityChecks,
  ...switchingChecks,
  ...parkingChecks,
  ...lookupChecks,
  ...countChecks,
  ...attentionChecks,
  ...answerChecks,
  ...patternChecks,
  ...contentionChecks,
  ...requestChecks,
  ...unsentChecks,
  ...endChecks,
  ...joiningChecks,
  ...sleeperChecks,
  ...lifeChecks,
  ...tableChecks,
  ...callChecks,
  ...pairChecks,
  ...determinismChecks,
  ...machineLayerChecks,
];
