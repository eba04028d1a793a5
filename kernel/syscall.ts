// System calls: what a user task may ask for. Each answers with zero or more, or with a SyscallError.
//
// Owner: the hart that runs the caller.
// Invariant: an argument is checked before anything changes; an unknown call changes nothing.
// Pairs with: abi/syscalls.ts (numbers and meanings), user/os.ts (the callers).
// Clauses: Q5, Q9, T1, T3, T5, T6, T8.

import { LINE_LENGTH_MAX, TASKS_MAX } from "../abi/layout";
import { Qos, QOS_COUNT } from "../abi/qos";
import { LineOutcome, MachineError } from "../abi/results";
import { Syscall, SyscallError } from "../abi/syscalls";
import { changeQos, kill, KillOutcome, QosOutcome, spawn, SpawnRefusal } from "./authority";
import { beginLine, offerLine, putByte, putNumber, putText, textOf } from "./console";
import { dispatch, dispatchNext, endCurrent, resume } from "./dispatch";
import { Hart } from "./hart-local";
import * as machine from "./machine";
import { notify } from "./resched";
import { borrowRuntime, isGranted, Runtime } from "./runtime";
import { yieldCurrent, YieldOutcome } from "./scheduler";
import { store64 } from "./shared";
import { sleepCurrent, SleepOutcome, wake, WakeOutcome } from "./sleep";
import {
  addressOfTask,
  ExitReason,
  ID_END,
  idOf,
  incarnationOfId,
  indexOfId,
  spaceOf,
  taskAt,
  taskFrom,
  withQos,
} from "./task";
import { cpuCount } from "./topology";

/** Answers a system call of the running task; the space to enter. */
export function systemCall(self: Hart, call: i32, a0: i64, a1: i64, a2: i64): i32 {
  return call == Syscall.Yield ? yieldCall(self) : otherCall(self, call, a0, a1, a2);
}

// @outline: it keeps its arguments over calls, for which a yield would save registers.
function otherCall(self: Hart, call: i32, a0: i64, a1: i64, a2: i64): i32 {
  if (call == Syscall.Exit) {
    endCurrent(self, ExitReason.Exited, a0 as i32);
    return dispatchNext(self);
  }
  if (call == Syscall.SleepUntil) return sleepCall(self, a0);
  machine.setReturn(spaceOf(taskFrom(self.current)), answer(self, call, a0, a1, a2));
  return resume(self);
}

// @outline: it calls, and other system calls shall not pay for that.
function yieldCall(self: Hart): i32 {
  // Q5: unless another task has the hart now, the caller goes on.
  machine.setReturn(spaceOf(taskFrom(self.current)), 0);
  return yieldCurrent(self) == YieldOutcome.Switched ? dispatchNext(self) : dispatch(self);
}

function sleepCall(self: Hart, deadline: i64): i32 {
  const space = spaceOf(taskFrom(self.current));
  if (deadline <= machine.timeTicks()) {
    machine.setReturn(space, 0);
    return dispatch(self);
  }
  const outcome = sleepCurrent(self, deadline);
  // Once blocked, the answer is given when it runs again: by then it is known who woke it.
  if (outcome == SleepOutcome.Blocked) return dispatchNext(self);
  machine.setReturn(space, outcome == SleepOutcome.AlreadyWoken ? 1 : SyscallError.QueueFull);
  return dispatch(self);
}

/** The calls after which the caller goes on running (T8). */
function answer(self: Hart, call: i32, a0: i64, a1: i64, a2: i64): i64 {
  if (call == Syscall.Time) return machine.timeTicks();
  if (call == Syscall.TaskId) return idOf(taskFrom(self.current));
  if (call == Syscall.CpuId) return self.cpu;
  if (call == Syscall.WriteLine) return writeLine(self, a0, a1);
  if (call == Syscall.Wake) return wakeTask(self, a0);
  if (call == Syscall.SetQos) return setQos(self, a0, a1);
  if (call == Syscall.Spawn) return spawnTask(self, a0, a1, a2);
  if (call == Syscall.Kill) return killTask(self, a0);
  // T3: answered, and nothing else.
  return SyscallError.Unknown;
}

function writeLine(self: Hart, address: i64, length: i64): i64 {
  const task = taskFrom(self.current);
  const line = beginLine(self);
  // T5: the prefix keeps a task from writing what looks like a line of the kernel's.
  putByte(line, 91);
  putNumber(line, idOf(task));
  putText(line, "] ");
  if (length < 0 || length > LINE_LENGTH_MAX - line.length) return SyscallError.InvalidArgument;
  const text = textOf(line);
  if (machine.copyFromUser(spaceOf(task), address, text, length as i32) != MachineError.Ok) return SyscallError.Fault;
  // bound: LINE_LENGTH_MAX.
  for (let i = 0; i < (length as i32); i++) {
    const byte = load<u8>((text + i) as usize);
    // T5: what would end or disguise a line of the console is shown as a full stop.
    putByte(line, byte < 32 || byte > 126 ? 46 : byte);
  }
  return offerLine(line) == LineOutcome.ConsoleFull ? SyscallError.ConsoleFull : 0;
}

/** Whether a number can be a task's id at all. Which life it names is for each operation to find out (T6). */
function isId(id: i64): bool {
  return (id as u64) < (ID_END as u64);
}

function wakeTask(self: Hart, id: i64): i64 {
  if (!isId(id)) return SyscallError.NotFound;
  const outcome = wake(self, taskAt(indexOfId(id)), incarnationOfId(id));
  if (outcome == WakeOutcome.NotFound) return SyscallError.NotFound;
  if (outcome == WakeOutcome.QueueFull) return SyscallError.QueueFull;
  if (outcome == WakeOutcome.Contended) return SyscallError.Contended;
  if (outcome == WakeOutcome.Posted) notify(self, self.posted);
  return 0;
}

function setQos(self: Hart, id: i64, qos: i64): i64 {
  if (qos < 0 || qos >= QOS_COUNT) return SyscallError.InvalidArgument;
  const current = taskFrom(self.current);
  if (id == idOf(current)) {
    // T1: a hart's own running task needs no authority: this hart holds it.
    store64(addressOfTask(current), withQos(current.word, qos as i32));
    return 0;
  }
  const runtime = borrowRuntime(self);
  if (!isGranted(runtime)) return SyscallError.NotBootHart;
  if (!isId(id)) return SyscallError.NotFound;
  const outcome = changeQos(runtime, self, taskAt(indexOfId(id)), incarnationOfId(id), qos as i32);
  if (outcome == QosOutcome.NotFound) return SyscallError.NotFound;
  if (outcome == QosOutcome.Contended) return SyscallError.Contended;
  return outcome == QosOutcome.QueueFull ? SyscallError.QueueFull : 0;
}

// T1: only by the handle.
function spawnTask(self: Hart, program: i64, qos: i64, argument: i64): i64 {
  const runtime = borrowRuntime(self);
  if (!isGranted(runtime)) return SyscallError.NotBootHart;
  if (qos < 0 || qos >= QOS_COUNT || program < 0 || program > TASKS_MAX) return SyscallError.InvalidArgument;
  const id = spawnInTurn(runtime, self, program as i32, qos as i32, argument);
  if (id >= 0) return id;
  if (id == SpawnRefusal.NoProgram) return SyscallError.InvalidArgument;
  if (id == SpawnRefusal.NoFreeTask) return SyscallError.NoFreeTask;
  return id == SpawnRefusal.Contended ? SyscallError.Contended : SyscallError.QueueFull;
}

/** Spawned tasks go to the CPUs in turn; a refused one does not take a turn (Q9). See spawn. */
export function spawnInTurn(runtime: Runtime, self: Hart, program: i32, qos: Qos, argument: i64): i64 {
  const cpu = runtime.nextCpu;
  const id = spawn(runtime, self, cpu, program, qos, argument);
  if (id >= 0) runtime.nextCpu = cpu + 1 < cpuCount() ? cpu + 1 : 0;
  return id;
}

// T1: only by the handle.
function killTask(self: Hart, id: i64): i64 {
  const runtime = borrowRuntime(self);
  if (!isGranted(runtime)) return SyscallError.NotBootHart;
  if (!isId(id)) return SyscallError.NotFound;
  // Its own end is met at the next dispatch, like any other running task's.
  const outcome = kill(runtime, self, taskAt(indexOfId(id)), incarnationOfId(id));
  if (outcome == KillOutcome.NotFound) return SyscallError.NotFound;
  return outcome == KillOutcome.Contended ? SyscallError.Contended : 0;
}
