// Operation walk: thousands of operations on three CPUs, made on the kernel and on the model, compared after each.
//
// A walk follows from its seed. Seeds differ in mood: some crowd one queue until it is full, some kill and reclassify
// most of the time, so that the rare paths are met as well.
// Partners: scheduler-model.ts (what should be), places.ts (S3, found without the model), clauses/stealing.ts.

import { Qos, QOS_COUNT } from "../../abi/qos.ts";
import { RING_CAPACITY, SPACES_MAX } from "../../abi/layout.ts";
import { Dice } from "./dice.ts";
import type { KernelImage } from "./kernel-image.ts";
import { SLEEP, STEAL, TASK_STATE, YIELD } from "./kernel-map.ts";
import { NONE } from "./kernel-memory.ts";
import { Model, type ModelTask } from "./scheduler-model.ts";
import { strayTasks } from "./places.ts";
import { holds, isRefutation, Refutation, same } from "./refutation.ts";
import { Rig } from "./rig.ts";

const CPUS = 3;
const TASKS = 400;
const MOVES = [
  "make",
  "send",
  "pick",
  "end",
  "yield",
  "steal",
  "stealAny",
  "drain",
  "sleep",
  "wake",
  "expire",
  "change",
  "kill",
  "reap",
] as const;
type Move = (typeof MOVES)[number];

/** How often each move is made, in parts, by the walk's mood. */
const MOODS: readonly Readonly<Partial<Record<Move, number>>>[] = [
  {},
  { make: 12, pick: 1, end: 1, steal: 1, stealAny: 1 },
  { change: 8, kill: 3, make: 6 },
  { sleep: 8, wake: 6, pick: 6, make: 4 },
  { send: 8, drain: 1, make: 3 },
];

/** Throws a Refutation, with the seed, where kernel and model part. */
export function walk(image: KernelImage, seed: number, moves: number): void {
  const walker = new Walker(image, seed);
  const made: string[] = [];
  try {
    for (let i = 0; i < moves; i++) {
      made.push(walker.move());
      walker.compare();
    }
  } catch (thrown) {
    if (!isRefutation(thrown)) throw thrown;
    const last = [...made, walker.doing].slice(-4).join("; ");
    throw new Refutation(
      `${thrown.message} (seed ${seed}, move ${made.length}: … ${last}; replay: HARTBEAT_WALK_SEED=${seed} npx vitest run verify/rig/operation-walk.test.ts)`,
    );
  }
}

class Walker {
  /** The move that is being made. */
  doing = "";
  private readonly dice: Dice;
  private readonly rig: Rig;
  private readonly model = new Model(CPUS, TASKS);
  private readonly bag: readonly Move[];
  /** Classes are drawn from these: one alone crowds a queue. */
  private readonly classes: readonly Qos[];
  private now = 1_000_000n;

  constructor(image: KernelImage, seed: number) {
    this.dice = new Dice(seed);
    this.rig = Rig.open(image, { cpus: CPUS });
    const mood = MOODS[seed % MOODS.length] ?? {};
    this.bag = MOVES.flatMap((move) => Array.from({ length: mood[move] ?? 2 }, () => move));
    this.classes = seed % 3 === 1 ? [Qos.Normal, Qos.Normal, Qos.Normal, Qos.PerfBurst] : [0, 1, 2, 3];
  }

  /** Makes one move on both; its description. */
  move(): string {
    const cpu = this.dice.roll(CPUS);
    const move = this.dice.one(this.bag);
    this.doing = `${move} on cpu${cpu}`;
    this.make(move, cpu);
    return this.doing;
  }

  compare(): void {
    const { rig, model } = this;
    for (let cpu = 0; cpu < CPUS; cpu++) {
      for (let qos = 0; qos < QOS_COUNT; qos++) {
        const due = model.queue(cpu, qos).map((task) => task.index);
        same(rig.queued(cpu, qos), due, `queue ${qos} of cpu${cpu}`);
        const { head: _, room, tombstones } = rig.ring(cpu, qos);
        same(
          rig.parked(cpu, qos),
          model.parked(cpu, qos).map(({ index }) => index),
          `parked, class ${qos} of cpu${cpu}`,
        );
        const standsForParked = model.parked(cpu, qos).length > 0 ? 1 : 0;
        holds(
          RING_CAPACITY - room === due.length + tombstones - standsForParked,
          `queue ${qos} of cpu${cpu} counts ${tombstones} tombstones where ${RING_CAPACITY - room - due.length} are`,
        );
        holds(
          due.length === 0 || (rig.field(cpu, "occupied") & (1 << qos)) !== 0,
          `queue ${qos} of cpu${cpu} holds work that nobody is notified of`,
        );
      }
      same(rig.current(cpu), model.cpu(cpu).current?.index ?? NONE, `current of cpu${cpu}`);
      same(
        rig.mailEntries(cpu),
        model.cpu(cpu).mail.map((task) => task.index),
        `mailbox of cpu${cpu}`,
      );
    }
    const live = model.tasks.filter(({ place }) => place.kind !== "free").map((task) => task.index);
    same(strayTasks(rig, live, CPUS), [], "tasks that are not in exactly one place");
    for (const { index, place } of model.tasks) {
      const free = rig.word(index).state === TASK_STATE.Free || rig.rawWord(index) === 0n;
      if ((place.kind === "free") !== free)
        throw new Refutation(`task ${index} is ${place.kind}, its word holds state ${rig.word(index).state}`);
    }
  }

  private make(move: Move, cpu: number): void {
    const { rig, model, dice } = this;
    const here = model.cpu(cpu);
    switch (move) {
      case "make":
      case "send":
        return this.makeTask(cpu, move === "send" ? dice.roll(CPUS) : cpu);
      case "pick":
        if (here.current !== undefined) return;
        return this.runs(cpu, rig.pick(cpu), model.pick(cpu));
      case "end":
        return this.endCurrent(cpu);
      case "yield":
        return this.yieldCurrent(cpu);
      case "steal":
        return this.steal(cpu, [dice.roll(CPUS)], true);
      case "stealAny":
        return this.steal(
          cpu,
          Array.from({ length: CPUS - 1 }, (_, i) => (cpu + 1 + i) % CPUS),
          false,
        );
      case "drain":
        return same(rig.drainMailbox(cpu), model.drain(cpu), "drain");
      case "sleep":
        return this.sleep(cpu);
      case "wake": {
        const task = this.anyTask();
        return same(rig.wake(cpu, task.index), model.wake(cpu, task), `wake of task ${task.index}`);
      }
      case "expire":
        return this.expire(cpu);
      case "change":
        return this.change();
      case "kill": {
        const task = this.anyTask();
        return same(rig.kill(task.index), model.kill(task), `kill of task ${task.index}`);
      }
      case "reap":
        rig.reap();
        return model.reap(SPACES_MAX);
      default:
        return move satisfies never;
    }
  }

  private anyTask(): ModelTask {
    const live = this.model.tasks.filter(({ place }) => place.kind !== "free" && place.kind !== "ended");
    if (live.length === 0 || this.dice.chance(5)) return this.model.task(this.dice.roll(TASKS));
    return this.dice.one(live);
  }

  private runs(cpu: number, task: number, due: ModelTask | undefined): void {
    same(task, due?.index ?? NONE, "the task taken");
    this.rig.setCurrent(cpu, task);
  }

  private makeTask(cpu: number, target: number): void {
    const { rig, model } = this;
    const task = model.tasks.find(({ place }) => place.kind === "free");
    if (task === undefined) return;
    const qos = this.dice.one(this.classes);
    this.doing += `: task ${task.index} of class ${qos} to cpu${target}`;
    rig.makeTask(task.index, qos, cpu);
    const outcome = rig.place(cpu, target, task.index);
    same(outcome, target === cpu ? model.enqueueNew(cpu, task, qos) : model.placeNew(target, task, qos), "place");
    if (outcome !== 0) rig.giveUp(task.index);
  }

  private endCurrent(cpu: number): void {
    const task = this.rig.current(cpu);
    if (task === NONE) return;
    this.rig.endTask(task);
    this.rig.setCurrent(cpu, NONE);
    this.model.endCurrent(cpu);
  }

  private yieldCurrent(cpu: number): void {
    const { current } = this.model.cpu(cpu);
    if (current === undefined) return;
    const hints = this.rig.field(cpu, "occupied") >> current.qos;
    const ring = this.rig.ring(cpu, current.qos);
    const isPlain = hints === 1 && ring.tombstones === 0 && ring.room > 0 && ring.room < RING_CAPACITY;
    const due = this.model.yieldCurrent(cpu, hints !== 0, isPlain);
    same(this.rig.yieldCurrent(cpu), due, "yield");
    holds(due !== YIELD.Switched || this.rig.current(cpu) !== NONE, "nothing runs after a yield");
  }

  private steal(cpu: number, victims: readonly number[], direct: boolean): void {
    if (this.model.cpu(cpu).current !== undefined) return;
    const bound = this.dice.roll(QOS_COUNT);
    this.rig.setField(cpu, "stealsInTick", 0);
    const due = this.stealOutcome(cpu, victims, bound);
    const [victim = 0] = victims;
    const outcome = direct ? this.rig.stealFrom(cpu, victim, bound) : this.rig.steal(cpu, bound);
    same(outcome, due.outcome, `steal with bound ${bound} from cpu ${victims.join(", ")}`);
    if (due.task !== undefined) this.runs(cpu, this.rig.stolen(cpu), due.task);
  }

  /** What a steal should come to; makes it on the model. */
  private stealOutcome(thief: number, victims: readonly number[], bound: Qos): { outcome: number; task?: ModelTask } {
    let outcome: number = STEAL.NothingThere;
    for (const victim of victims) {
      if (victim === thief) return { outcome: STEAL.InvalidVictim };
      const hints = this.rig.field(victim, "occupied");
      if (hints === 0) continue;
      if ((hints & ((2 << bound) - 1)) === 0) {
        outcome = STEAL.AboveBound;
        continue;
      }
      // Neither an empty class nor tombstones hide a task.
      for (let qos = bound; qos >= 0; qos--) {
        const task = this.model.stealOldest(thief, victim, qos);
        if (task !== undefined) return { outcome: STEAL.Stolen, task };
      }
    }
    return { outcome };
  }

  private sleep(cpu: number): void {
    if (this.model.cpu(cpu).current === undefined) return;
    const deadline = this.now + BigInt(this.dice.roll(50));
    const due = this.model.sleep(cpu, deadline);
    same(this.rig.sleepCurrent(cpu, deadline), due, "sleep");
    holds((due === SLEEP.Blocked) === (this.rig.current(cpu) === NONE), "the hart's current task after a sleep");
  }

  /** The soonest deadline first, and of equal ones the one that fell asleep first. */
  private expire(cpu: number): void {
    const { rig, model } = this;
    this.now += BigInt(this.dice.roll(20));
    const expired = model.expired(cpu, this.now);
    rig.wakeExpired(cpu, this.now);
    for (let qos = 0; qos < QOS_COUNT; qos++) {
      const before = model.queue(cpu, qos).length;
      const due = expired.filter((task) => task.qos === qos);
      const woken = rig.queued(cpu, qos).slice(before);
      const count = Math.min(due.length, RING_CAPACITY - before);
      const first = due.slice(0, count);
      same(
        woken,
        first.map(({ index }) => index),
        `sleepers of class ${qos} whose time has come`,
      );
      for (const task of first) model.expire(cpu, task);
    }
  }

  private change(): void {
    const { rig, model } = this;
    const task = this.anyTask();
    const qos = this.dice.roll(QOS_COUNT);
    this.doing += `: task ${task.index}, ${task.place.kind}, to class ${qos}`;
    const { place } = task;
    const ring = place.kind === "queued" ? rig.ring(place.cpu, qos) : undefined;
    const full = ring?.room === 0 && ring.tombstones === 0;
    same(rig.changeQos(task.index, qos), model.changeQos(task, qos, full), `change of task ${task.index}`);
  }
}
