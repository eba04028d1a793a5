import { beforeAll, describe, expect, it } from "vitest";
import { PowerOff } from "../../abi/results.ts";
import { kernelFrom, SAY, userFrom } from "./fixture.test.support.ts";
import { Machine, type MachineImage } from "./machine.ts";
import { checkOptions, type CheckedOptions, type SimOptions } from "./options.ts";
import { pausableModule } from "./resumable.ts";
import { Runner, type RunEnd } from "./runner.ts";
import { ScheduledStrategy, SeededStrategy, type Strategy } from "./strategy.ts";

/**
 * A kernel that does a little of everything: starts all harts, each adds to a shared counter with a plain read and an
 * atomic one, the boot hart runs a program per hart, timers preempt them, and the last one to exit ends the run.
 */
const KERNEL = `
import * as machine from "./machine";
${SAY}
const ONLINE = 0x1000; const PLAIN = 0x1008; const ATOMIC = 0x100c; const EXITED = 0x1010; const TICKS = 0x1014;
function harts(): i32 { return atomic.load<i32>(0x1004); }
function cpu(): i32 { return (machine.hartPointer() - 0x40000) >> 12; }
function begin(n: i32): i32 {
  for (let i = 0; i < 10; i++) {
    atomic.store<i32>(PLAIN, atomic.load<i32>(PLAIN) + 1);
    atomic.add<i32>(ATOMIC, 1);
  }
  atomic.add<i32>(ONLINE, 1);
  if (machine.prepareSpace(n, 0, n) != 0) unreachable();
  machine.setTimer(machine.timeTicks() + 40);
  return n;
}
export function boot(hart: i32): i32 {
  const count = machine.deviceTreeWord(0) == 0xd00dfeed ? machine.programCount() : 0;
  let next = 1;
  for (let id = 0; id < 64; id++) {
    if (id != hart && machine.hartStateOf(id) == 1 && machine.startHart(id, next) == 0) next++;
  }
  atomic.store<i32>(0x1004, next);
  return begin(0);
}
export function bootSecondary(n: i32): i32 { return begin(n); }
export function trap(cause: i32, value: i64, call: i32, a0: i64, a1: i64, a2: i64): i32 {
  const me = cpu();
  if (cause == -2147483643) { atomic.add<i32>(TICKS, 1); machine.setTimer(machine.timeTicks() + 40); return me; }
  if (cause == -2147483647) {
    machine.clearSoft();
    if (atomic.load<i32>(EXITED) == harts()) finish(me);
    return -1;
  }
  if (cause != 8) { say(me, 70, cause); return -1; }
  if (call == 6) {
    if (machine.copyFromUser(me, a0, 0x60000 + me * 256, i32(a1)) != 0) unreachable();
    machine.writeLine(0x60000 + me * 256, i32(a1));
    machine.setReturn(me, 7);
    return me;
  }
  machine.setTimer(-1);
  if (atomic.add<i32>(EXITED, 1) == harts() - 1) {
    if (me == 0) finish(me);
    machine.sendIpi(0);
  }
  return -1;
}
function finish(me: i32): void {
  say(me, 80, atomic.load<i32>(PLAIN)); say(me, 65, atomic.load<i32>(ATOMIC)); say(me, 84, atomic.load<i32>(TICKS) > 0);
  machine.powerOff(0);
}
`;

const USER = `
export declare function call(number: i32, a0: i64, a1: i64, a2: i64): i64;
function spin(n: i32): i32 { let x = 1; for (let i = 0; i < n; i++) x = x * 1103515245 + 12345; return x; }
export function programCount(): i32 { return 1; }
export function start(program: i32, argument: i32): void {
  store<i32>(64, spin(200 + argument));
  store<u8>(128, 85); store<u8>(129, 65 + argument);
  if (call(6, 128, 2, 0) != 7) unreachable();
  if (spin(200 + argument) != load<i32>(64)) unreachable();
}
`.replace("export declare function call", '@external("os", "call") declare function call');

let image: MachineImage;

beforeAll(async () => {
  image = { kernel: pausableModule(await kernelFrom(KERNEL)), user: pausableModule(await userFrom(USER)) };
}, 60_000);

function checked(options: SimOptions): CheckedOptions {
  const check = checkOptions(options);
  if (check.kind === "refused") throw new Error(check.reason);
  return check.options;
}

function runAll(options: SimOptions, strategy: Strategy, from: MachineImage = image): [Machine, string[], RunEnd] {
  const lines: string[] = [];
  const all = checked(options);
  const machine = new Machine(from, all, { line: (line) => lines.push(line) });
  const outcome = new Runner(machine, strategy, all).run(5_000_000);
  if (outcome.kind !== "ended") throw new Error(`the run is ${outcome.kind}`);
  return [machine, lines, outcome.end];
}

const PASSED = { kind: "powered-off", result: PowerOff.Passed };

describe("machine", () => {
  it.each([1, 2, 5, 64])("machine: a kernel that starts all harts and preempts programs: ends (harts=%i)", (harts) => {
    const started = performance.now();
    const [machine, lines, end] = runAll({ harts }, new SeededStrategy(7));
    console.log(harts, machine.clock.steps, performance.now() - started, lines);
    expect(end).toEqual(PASSED);
  });
});
