// Index: what the user image exports. Every task starts here, in a space of its own.

import { Program } from "../abi/programs";
import { exit } from "./system-calls";
import { awaitWakes, climb, intrude, petition, sleepOften, spin, wakeOften, work } from "./program-bodies";

const PROGRAM_COUNT: i32 = 9;

export function programCount(): i32 {
  return PROGRAM_COUNT;
}

/** Runs a program and exits with its code. */
export function start(program: i32, argument: i64): void {
  exit(run(program, argument));
}

function run(program: Program, wide: i64): i32 {
  const argument = wide as i32;
  switch (program) {
    case Program.Probe:
      return argument;
    case Program.Worker:
      return work(argument);
    case Program.Spinner:
      return spin(argument);
    case Program.Sleeper:
      return sleepOften(argument);
    case Program.Waiter:
      return awaitWakes(argument);
    case Program.Waker:
      return wakeOften(wide);
    case Program.Intruder:
      return intrude(argument);
    case Program.Petitioner:
      return petition();
    case Program.Climber:
      return climb();
    default:
      return 127;
  }
}
