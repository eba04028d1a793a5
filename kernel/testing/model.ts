// Model: what the scheduler is meant to do, on plain lists, with nothing concurrent about it.
//
// It shares no code with the kernel. Where an answer depends on how the kernel remembers things (a void entry that no
// one has dropped yet, a hint that a queue may hold work), the caller says what is the case; the model never looks.
// Partners: random-walk.ts, which makes the same moves on both and compares.

import { MAILBOX_CAPACITY, RING_CAPACITY } from "../../abi/layout.ts";
import { type Qos, QOS_COUNT } from "../../abi/qos.ts";
import { DRAIN, ENQUEUE, KILL, QOS_CHANGE, SLEEP, SLEEPERS_CAPACITY, WAKE, YIELD } from "./kernel-map.ts";

export type ModelPlace =
  | { readonly kind: "free" }
  /** Held and running. */
  | { readonly kind: "current"; readonly cpu: number }
  | { readonly kind: "queued"; readonly cpu: number }
  | { readonly kind: "mailed"; readonly cpu: number }
  | { readonly kind: "asleep"; readonly cpu: number; readonly deadline: bigint }
  | { readonly kind: "ended" };

export interface ModelTask {
  readonly index: number;
  place: ModelPlace;
  qos: Qos;
  permit: boolean;
  killed: boolean;
}

export interface ModelCpu {
  readonly queues: ModelTask[][];
  /** One entry a letter: the task that it names. A letter whose task has gone stays until it is met. */
  letters: ModelTask[];
  current: ModelTask | undefined;
}

export class Model {
  readonly tasks: readonly ModelTask[];
  readonly cpus: readonly ModelCpu[];

  constructor(cpus: number, tasks: number) {
    this.cpus = Array.from({ length: cpus }, () => ({
      queues: Array.from({ length: QOS_COUNT }, () => []),
      letters: [],
      current: undefined,
    }));
    this.tasks = Array.from({ length: tasks }, (_, index) => ({
      index,
      place: { kind: "free" },
      qos: 0,
      permit: false,
      killed: false,
    }));
  }

  cpu(index: number): ModelCpu {
    const cpu = this.cpus[index];
    if (cpu === undefined) throw new Error(`the model has no cpu ${index}`);
    return cpu;
  }

  task(index: number): ModelTask {
    const task = this.tasks[index];
    if (task === undefined) throw new Error(`the model has no task ${index}`);
    return task;
  }

  queue(cpu: number, qos: Qos): ModelTask[] {
    const queue = this.cpu(cpu).queues[qos];
    if (queue === undefined) throw new Error(`the model has no class ${qos}`);
    return queue;
  }

  hasRoom(cpu: number, qos: Qos): boolean {
    return this.queue(cpu, qos).length < RING_CAPACITY;
  }

  /** A new task, held by a CPU: queued there, or given back when refused. */
  enqueueNew(cpu: number, task: ModelTask, qos: Qos): number {
    task.qos = qos;
    task.permit = false;
    task.killed = false;
    if (!this.hasRoom(cpu, qos)) return ENQUEUE.QueueFull;
    this.push(cpu, task);
    return ENQUEUE.Queued;
  }

  /** A new task sent to another CPU. */
  placeNew(target: number, task: ModelTask, qos: Qos): number {
    task.qos = qos;
    task.permit = false;
    task.killed = false;
    return this.post(target, task) ? ENQUEUE.Queued : ENQUEUE.QueueFull;
  }

  pick(cpu: number): ModelTask | undefined {
    const queue = this.cpu(cpu).queues.findLast((one) => one.length > 0);
    return queue?.[0] === undefined ? undefined : this.takeTo(cpu, queue[0]);
  }

  /** `hint`: the kernel believes that a queue of the task's class or a higher one may hold work. */
  yieldCurrent(cpu: number, hint: boolean): number {
    const task = this.cpu(cpu).current;
    if (task === undefined || !hint) return YIELD.Alone;
    if (!this.hasRoom(cpu, task.qos)) return YIELD.Deferred;
    this.cpu(cpu).current = undefined;
    this.push(cpu, task);
    this.pick(cpu);
    return YIELD.Switched;
  }

  /** The victim's oldest task of a class, to the thief, who then runs it. */
  stealOldest(thief: number, victim: number, qos: Qos): ModelTask | undefined {
    const [task] = this.queue(victim, qos);
    return task === undefined ? undefined : this.takeTo(thief, task);
  }

  drain(cpu: number): number {
    const here = this.cpu(cpu);
    for (let letter = here.letters[0]; letter !== undefined; letter = here.letters[0]) {
      if (letter.place.kind === "mailed" && letter.place.cpu === cpu) {
        if (!this.hasRoom(cpu, letter.qos)) return DRAIN.WaitsForRoom;
        this.push(cpu, letter);
      }
      here.letters.shift();
    }
    return DRAIN.Emptied;
  }

  sleep(cpu: number, deadline: bigint): number {
    const task = this.cpu(cpu).current;
    if (task === undefined) throw new Error("nothing runs that could sleep");
    if (task.permit) {
      task.permit = false;
      return SLEEP.AlreadyWoken;
    }
    if (this.sleepers(cpu).length === SLEEPERS_CAPACITY) return SLEEP.SleepersFull;
    if (task.killed) return SLEEP.AlreadyWoken;
    task.place = { kind: "asleep", cpu, deadline };
    this.cpu(cpu).current = undefined;
    return SLEEP.Blocked;
  }

  sleepers(cpu: number): ModelTask[] {
    return this.tasks.filter(({ place }) => place.kind === "asleep" && place.cpu === cpu);
  }

  wake(cpu: number, task: ModelTask): number {
    const { place } = task;
    if (place.kind === "free" || place.kind === "ended") return WAKE.NotFound;
    if (place.kind !== "asleep") {
      task.permit = true;
      return WAKE.Remembered;
    }
    if (place.cpu === cpu) {
      if (!this.hasRoom(cpu, task.qos)) return WAKE.QueueFull;
      this.push(cpu, task);
    } else if (!this.post(place.cpu, task)) {
      return WAKE.QueueFull;
    }
    task.permit = true;
    return place.cpu === cpu ? WAKE.Queued : WAKE.Posted;
  }

  /** A sleeper's time has come and its queue has room. */
  expire(cpu: number, task: ModelTask): void {
    this.push(cpu, task);
  }

  /** `physicallyFull`: the target ring on another CPU has no free slot, be it for entries that are void. */
  changeQos(task: ModelTask, qos: Qos, physicallyFull: boolean): number {
    const { place } = task;
    if (place.kind === "free" || place.kind === "ended") return QOS_CHANGE.NotFound;
    if (task.qos === qos) return QOS_CHANGE.Updated;
    if (place.kind === "queued") {
      if (place.cpu === 0 ? !this.hasRoom(0, qos) : physicallyFull) return QOS_CHANGE.QueueFull;
      if (place.cpu !== 0 && this.cpu(place.cpu).letters.length === MAILBOX_CAPACITY) return QOS_CHANGE.QueueFull;
      this.leaveQueue(task);
      task.qos = qos;
      if (place.cpu === 0) this.push(0, task);
      else this.post(place.cpu, task);
      return QOS_CHANGE.Updated;
    }
    // A running task's wish is fulfilled when it is dispatched, which no move here does.
    if (place.kind !== "current") task.qos = qos;
    return QOS_CHANGE.Updated;
  }

  kill(task: ModelTask): number {
    const { place } = task;
    if (place.kind === "free" || place.kind === "ended") return KILL.NotFound;
    if (place.kind === "current") {
      task.killed = true;
      return KILL.Requested;
    }
    if (place.kind === "queued") this.leaveQueue(task);
    task.place = { kind: "ended" };
    return KILL.Killed;
  }

  endCurrent(cpu: number): void {
    const here = this.cpu(cpu);
    if (here.current !== undefined) here.current.place = { kind: "ended" };
    here.current = undefined;
  }

  reap(below: number): void {
    for (const task of this.tasks) if (task.index < below && task.place.kind === "ended") task.place = { kind: "free" };
  }

  private push(cpu: number, task: ModelTask): void {
    this.queue(cpu, task.qos).push(task);
    task.place = { kind: "queued", cpu };
  }

  private post(target: number, task: ModelTask): boolean {
    const { letters } = this.cpu(target);
    if (letters.length === MAILBOX_CAPACITY) return false;
    letters.push(task);
    task.place = { kind: "mailed", cpu: target };
    return true;
  }

  private takeTo(cpu: number, task: ModelTask): ModelTask {
    this.leaveQueue(task);
    task.place = { kind: "current", cpu };
    this.cpu(cpu).current = task;
    return task;
  }

  private leaveQueue(task: ModelTask): void {
    if (task.place.kind !== "queued") throw new Error(`task ${task.index} is not queued`);
    const queue = this.queue(task.place.cpu, task.qos);
    queue.splice(queue.indexOf(task), 1);
  }
}
