// Scheduler model: what the scheduler is meant to do, on plain lists, with nothing concurrent about it.
//
// It shares no code with the kernel. Where an answer depends on how the kernel remembers things (a tombstone that no
// one has dropped yet, a hint that a queue may hold work), the caller passes what is the case; the model never looks.
// Partners: operation-walk.ts, which makes the same moves on both and compares.

import { MAILBOX_CAPACITY, RING_CAPACITY } from "../../abi/layout.ts";
import { type Qos, QOS_COUNT } from "../../abi/qos.ts";
import { DRAIN, ENQUEUE, KILL, QOS_CHANGE, SLEEP, SLEEPERS_CAPACITY, WAKE, YIELD } from "./kernel-map.ts";

export type ModelPlace =
  | { readonly kind: "free" }
  /** Held and running. */
  | { readonly kind: "current"; readonly cpu: number }
  /** Held beside its full queue, and not running. */
  | { readonly kind: "parked"; readonly cpu: number }
  | { readonly kind: "queued"; readonly cpu: number }
  | { readonly kind: "mailed"; readonly cpu: number }
  | { readonly kind: "asleep"; readonly cpu: number; readonly deadline: bigint; readonly order: number }
  | { readonly kind: "ended" };

export interface ModelTask {
  readonly index: number;
  place: ModelPlace;
  qos: Qos;
  permit: boolean;
  killed: boolean;
  /** The class that its holder has been asked to give it. */
  asked: Qos | undefined;
}

export interface ModelCpu {
  readonly queues: ModelTask[][];
  /** One entry a mailbox entry: the task that it names. A mailbox entry whose task has gone stays until it is met. */
  mail: ModelTask[];
  current: ModelTask | undefined;
  /** A class's parked tasks, the one that runs next first. */
  readonly parked: ModelTask[][];
}

export class Model {
  readonly tasks: readonly ModelTask[];
  readonly cpus: readonly ModelCpu[];
  private sleeps = 0;

  constructor(cpus: number, tasks: number) {
    this.cpus = Array.from({ length: cpus }, () => ({
      queues: Array.from({ length: QOS_COUNT }, () => []),
      mail: [],
      current: undefined,
      parked: Array.from({ length: QOS_COUNT }, () => []),
    }));
    this.tasks = Array.from({ length: tasks }, (_, index) => ({
      index,
      place: { kind: "free" },
      qos: 0,
      permit: false,
      killed: false,
      asked: undefined,
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
    renew(task);
    if (!this.hasRoom(cpu, qos)) return ENQUEUE.QueueFull;
    this.push(cpu, task);
    return ENQUEUE.Queued;
  }

  /** A new task sent to another CPU. */
  placeNew(target: number, task: ModelTask, qos: Qos): number {
    task.qos = qos;
    renew(task);
    return this.post(target, task) ? ENQUEUE.Queued : ENQUEUE.QueueFull;
  }

  pick(cpu: number): ModelTask | undefined {
    return this.pickAbove(cpu, -1);
  }

  private pickAbove(cpu: number, bound: number): ModelTask | undefined {
    for (let qos = QOS_COUNT - 1; qos > bound; qos--) {
      const parked = this.parked(cpu, qos).shift();
      const [oldest] = this.queue(cpu, qos);
      if (parked !== undefined) return this.runs(cpu, parked);
      if (oldest !== undefined) return this.takeTo(cpu, oldest);
    }
    return undefined;
  }

  parked(cpu: number, qos: Qos): ModelTask[] {
    const parked = this.cpu(cpu).parked[qos];
    if (parked === undefined) throw new Error(`the model has no class ${qos}`);
    return parked;
  }

  /**
   * hint: the kernel believes that a queue of the task's class or a higher one may hold work. isPlain: that is its own
   * queue alone, neither full nor with tombstones; then a class asked for is given before the task is queued.
   */
  yieldCurrent(cpu: number, hint: boolean, isPlain: boolean): number {
    const task = this.cpu(cpu).current;
    if (task === undefined || !hint) return YIELD.Alone;
    if (isPlain && task.asked !== undefined) {
      task.qos = task.asked;
      task.asked = undefined;
    }
    const higher = this.pickAbove(cpu, task.qos);
    if (higher === undefined && !this.hasRoom(cpu, task.qos)) return YIELD.Deferred;
    if (this.hasRoom(cpu, task.qos)) this.queueAsAsked(cpu, task);
    else this.park(cpu, task);
    if (higher !== undefined) return YIELD.Switched;
    this.cpu(cpu).current = undefined;
    this.pick(cpu);
    return YIELD.Switched;
  }

  /** Queues a task, then moves it to the class asked for if there is room. */
  private queueAsAsked(cpu: number, task: ModelTask): void {
    this.push(cpu, task);
    const { asked } = task;
    if (asked === undefined || asked === task.qos || !this.hasRoom(cpu, asked)) return;
    this.leaveQueue(task);
    task.qos = asked;
    this.push(cpu, task);
  }

  /** The victim's oldest task of a class, to the thief, who then runs it. */
  stealOldest(thief: number, victim: number, qos: Qos): ModelTask | undefined {
    const [task] = this.queue(victim, qos);
    return task === undefined ? undefined : this.takeTo(thief, task);
  }

  /** Entries of a class without room wait, and those of other classes go past them. */
  drain(cpu: number): number {
    const here = this.cpu(cpu);
    here.mail = here.mail.filter((entry) => {
      if (entry.place.kind !== "mailed" || entry.place.cpu !== cpu) return false;
      if (!this.hasRoom(cpu, entry.qos)) return true;
      this.push(cpu, entry);
      return false;
    });
    return here.mail.length === 0 ? DRAIN.Emptied : DRAIN.WaitsForRoom;
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
    this.sleeps += 1;
    task.place = { kind: "asleep", cpu, deadline, order: this.sleeps };
    // Whoever wakes it gives it the class that was asked for.
    task.qos = task.asked ?? task.qos;
    task.asked = undefined;
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
    return place.cpu === cpu ? WAKE.Queued : WAKE.Posted;
  }

  /** The sleepers whose time has come, in the order in which they are to be queued. */
  expired(cpu: number, now: bigint): ModelTask[] {
    return this.sleepers(cpu)
      .flatMap((task) => (task.place.kind === "asleep" && task.place.deadline <= now ? [{ task, ...task.place }] : []))
      .toSorted((left, right) => Number(left.deadline - right.deadline) || left.order - right.order)
      .map(({ task }) => task);
  }

  /** A sleeper's time has come and its queue has room. */
  expire(cpu: number, task: ModelTask): void {
    this.push(cpu, task);
  }

  /** `full`: the target ring on another CPU holds 64 entries, none of them known to be a tombstone. */
  changeQos(task: ModelTask, qos: Qos, full: boolean): number {
    const { place } = task;
    if (place.kind === "free" || place.kind === "ended") return QOS_CHANGE.NotFound;
    if (place.kind === "current" || place.kind === "parked") {
      // Its holder gives it the class when it is dispatched, which no move here does.
      task.asked = qos;
      return QOS_CHANGE.Updated;
    }
    // What its holder was asked before is replaced, and honoured at the latest when it runs.
    const isAsked = task.asked !== undefined && task.asked !== qos;
    if (isAsked) task.asked = qos;
    if (task.qos === qos) return QOS_CHANGE.Updated;
    if (place.kind === "queued") {
      const refused = isAsked ? QOS_CHANGE.Updated : QOS_CHANGE.QueueFull;
      if (place.cpu === 0 ? !this.hasRoom(0, qos) : full) return refused;
      if (place.cpu !== 0 && this.cpu(place.cpu).mail.length === MAILBOX_CAPACITY) return refused;
      this.leaveQueue(task);
      task.qos = qos;
      if (place.cpu === 0) this.push(0, task);
      else this.post(place.cpu, task);
      return QOS_CHANGE.Updated;
    }
    task.qos = qos;
    return QOS_CHANGE.Updated;
  }

  kill(task: ModelTask): number {
    const { place } = task;
    if (place.kind === "free" || place.kind === "ended") return KILL.NotFound;
    if (place.kind === "current" || place.kind === "parked") {
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
    const { mail } = this.cpu(target);
    if (mail.length === MAILBOX_CAPACITY) return false;
    mail.push(task);
    task.place = { kind: "mailed", cpu: target };
    return true;
  }

  private park(cpu: number, task: ModelTask): void {
    task.place = { kind: "parked", cpu };
    this.parked(cpu, task.qos).unshift(task);
  }

  private takeTo(cpu: number, task: ModelTask): ModelTask {
    this.leaveQueue(task);
    return this.runs(cpu, task);
  }

  private runs(cpu: number, task: ModelTask): ModelTask {
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

function renew(task: ModelTask): void {
  task.permit = false;
  task.killed = false;
  task.asked = undefined;
}
