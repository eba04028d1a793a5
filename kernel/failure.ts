// Failure: how a boot that does not hold what it checks ends.
//
// Owner: the boot hart.
// Pairs with: selftest.ts and boot.ts, which check; proof/, for which the lines are red.
// Clauses: D6.

import { FAIL_PREFIX, RESULT_FAILED } from "../abi/markers";
import { PowerOff } from "../abi/results";
import { beginLine, endLine, putNumber, putText, writeText } from "./console";
import { Hart } from "./hart-local";
import * as machine from "./machine";

/** Reports why a check did not hold, and ends the run. */
export function fail(self: Hart, reason: string): void {
  const line = beginLine(self);
  putText(line, FAIL_PREFIX);
  putText(line, reason);
  endLine(line);
  stop(self);
}

/** Reports a CPU that is not there, and ends the run (D6). */
export function failCpu(self: Hart, cpu: i32, reason: string): void {
  const line = beginLine(self);
  putText(line, FAIL_PREFIX);
  putText(line, "cpu");
  putNumber(line, cpu);
  putText(line, reason);
  endLine(line);
  stop(self);
}

function stop(self: Hart): void {
  writeText(self, RESULT_FAILED);
  machine.powerOff(PowerOff.Failed);
  unreachable();
}
