// All checks, by section of the contract.

import type { Case } from "../case.ts";
import { authorityChecks } from "./authority.ts";
import { identityChecks } from "./identity.ts";
import { queueChecks } from "./queues.ts";
import { reschedChecks } from "./resched.ts";
import { stealChecks } from "./stealing.ts";

export const allChecks: readonly Case[] = [
  ...queueChecks,
  ...stealChecks,
  ...reschedChecks,
  ...identityChecks,
  ...authorityChecks,
];
