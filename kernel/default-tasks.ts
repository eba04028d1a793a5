// Default tasks: what the kernel runs after its selftests, over all QoS classes.
//
// Owner: the boot hart, once.
// Pairs with: user/ (the programs), abi/programs.ts (their numbers and arguments).

import { Intrusion, Program } from "../abi/programs";
import { Qos } from "../abi/qos";
import { Hart } from "./hart-local";
import { Runtime } from "./runtime";
import { spawnInTurn } from "./syscall";

export enum SpawnAllOutcome {
  AllSpawned = 0,
  Refused = 1,
}

/** Spawns the set: CPUs in turn, every class, every program. */
export function spawnDefaultTasks(runtime: Runtime, self: Hart): SpawnAllOutcome {
  let refused = 0;
  refused |= spawnNext(runtime, self, Program.Worker, Qos.Normal, 6);
  refused |= spawnNext(runtime, self, Program.Worker, Qos.Interactive, 4);
  refused |= spawnNext(runtime, self, Program.Worker, Qos.PerfBurst, 3);
  refused |= spawnNext(runtime, self, Program.Spinner, Qos.Idle, 40);
  refused |= spawnNext(runtime, self, Program.Sleeper, Qos.Interactive, 3);
  refused |= spawnNext(runtime, self, Program.Sleeper, Qos.PerfBurst, 3);
  const waiter = spawnInTurn(runtime, self, Program.Waiter, Qos.Interactive, 3);
  refused |= waiter < 0 ? 1 : 0;
  refused |= spawnNext(runtime, self, Program.Waker, Qos.Normal, waiter);
  refused |= spawnNext(runtime, self, Program.Climber, Qos.Idle, 0);
  refused |= spawnNext(runtime, self, Program.Petitioner, Qos.Normal, 0);
  refused |= spawnNext(runtime, self, Program.Petitioner, Qos.Normal, 0);
  // bound: the number of intrusions.
  for (let attempt = Intrusion.ReadKernelMemory; attempt <= Intrusion.WriteLineOfKernelMemory; attempt++) {
    refused |= spawnNext(runtime, self, Program.Intruder, Qos.Normal, attempt);
  }
  return refused == 0 ? SpawnAllOutcome.AllSpawned : SpawnAllOutcome.Refused;
}

/** 1 when the task was refused. */
function spawnNext(runtime: Runtime, self: Hart, program: Program, qos: Qos, argument: i64): i32 {
  return spawnInTurn(runtime, self, program, qos, argument) < 0 ? 1 : 0;
}
