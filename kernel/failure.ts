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

/** The same for one of several: `what`, its number, then the reason (D6: a CPU that is not there). */
export function failAt(self: Hart, what: string, number: i32, reason: string): void {
  const line = beginLine(self);
  putText(line, FAIL_PREFIX);
  putText(line, what);
  putNumber(line, number);
  putText(line, reason);
  endLine(line);
  stop(self);
}

function stop(self: Hart): void {
  writeText(self, RESULT_FAILED);
  machine.powerOff(PowerOff.Failed);
  unreachable();
}
