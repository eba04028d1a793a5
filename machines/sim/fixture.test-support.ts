// Fixture: compiles a kernel or a user program, given as AssemblyScript text, to a pausable module, for tests.
//
// The text is compiled with the options of the real artifacts and may import kernel/machine.ts and abi/.
// Partners: the tests beside this file; toolchain/asc.ts, whose options it shares.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createMemoryStream, main } from "assemblyscript/asc";
import { type AscJob, ascArguments, KERNEL_MEMORY, USER_MEMORY } from "../../toolchain/asc.ts";
import { packageRoot } from "../../toolchain/package-root.ts";
import { makePausable, type PausableOptions } from "../../toolchain/pausable.ts";

/** Where the text is taken to lie: relative imports start from here. */
const ENTRY = "kernel/fixture.ts";

export async function compileText(text: string, job: Pick<AscJob, "memory">): Promise<Uint8Array> {
  const errors = createMemoryStream();
  let wasm: Uint8Array | undefined;
  const options = ascArguments({ root: packageRoot, entry: ENTRY, build: "optimized", ...job });
  const result = await main([ENTRY, ...options], {
    stdout: createMemoryStream(),
    stderr: errors,
    readFile: async (name: string) =>
      name === ENTRY ? text : readFile(join(packageRoot, name), "utf8").catch(() => null),
    writeFile: (name: string, contents: Uint8Array | string) => {
      if (contents instanceof Uint8Array && name.endsWith(".wasm")) wasm = contents;
    },
    listFiles: () => [],
  });
  if (result.error !== null || wasm === undefined) throw new Error(`the fixture does not compile:\n${errors}`);
  return wasm;
}

export async function kernelFrom(text: string, options: PausableOptions = {}): Promise<WebAssembly.Module> {
  const pausable = makePausable(await compileText(text, { memory: KERNEL_MEMORY }), options);
  return WebAssembly.compile(pausable as Uint8Array<ArrayBuffer>);
}

export async function userFrom(text: string): Promise<WebAssembly.Module> {
  const pausable = makePausable(await compileText(text, { memory: USER_MEMORY }), { loops: "countdown" });
  return WebAssembly.compile(pausable as Uint8Array<ArrayBuffer>);
}

/** Text that kernels of tests share: writes a line of ASCII and a number. */
export const SAY = `
function put(at: i32, byte: i32): i32 { store<u8>(at, byte); return at + 1; }
function digits(at: i32, value: i64): i32 {
  let scale: i64 = 1;
  while (value / scale >= 10) scale *= 10;
  while (scale > 0) { at = put(at, 48 + i32((value / scale) % 10)); scale /= 10; }
  return at;
}
function say(hart: i32, word: i32, value: i64): void {
  const start = 0x60000 + hart * 256;
  let at = start;
  at = put(at, word); at = put(at, 61); at = digits(at, value);
  machine.writeLine(start, at - start);
  machine.drainConsole();
}
`;

/**
 * A kernel that does a little of everything: starts all harts, each adds to a shared counter with a plain read and an
 * atomic one, the boot hart runs a program per hart, timers preempt them, and the last one to exit ends the run.
 */
export const BUSY_KERNEL = `
import * as machine from "./machine";
${SAY}
const ONLINE = 0x1000; const PLAIN = 0x1008; const ATOMIC = 0x100c; const EXITED = 0x1010; const TICKS = 0x1014;
function harts(): i32 { return atomic.load<i32>(0x1004); }
function cpu(): i32 { return ((machine.hartPointer() - 0x40000) >> 12) as i32; }
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

/** A program that computes, writes `U` and a letter, computes again and compares; it fails on a wrong answer. */
export const BUSY_USER = `
@external("os", "call") declare function call(number: i32, a0: i64, a1: i64, a2: i64): i64;
function spin(n: i32): i32 { let x = 1; for (let i = 0; i < n; i++) x = x * 1103515245 + 12345; return x; }
export function programCount(): i32 { return 1; }
export function start(program: i32, wide: i64): void {
  const argument = wide as i32;
  store<i32>(64, spin(200 + argument));
  store<u8>(128, 85); store<u8>(129, 65 + argument);
  if (call(6, 128, 2, 0) != 7) unreachable();
  if (spin(200 + argument) != load<i32>(64)) unreachable();
}
`;

/** A kernel whose exports make one machine call each, for `Machine.call`; as a kernel it only waits. */
export const PROBE_KERNEL = `
import * as machine from "./machine";
${SAY}
export function boot(hart: i32): i32 { return -1; }
export function bootSecondary(cpu: i32): i32 { return cpu; }
export function trap(cause: i32, value: i64, call: i32, a0: i64, a1: i64, a2: i64): i32 {
  say(0, 67, cause == -2147483643 ? 1000 : cause == -2147483647 ? 2000 : cause);
  say(0, 84, machine.timeTicks());
  machine.clearSoft();
  machine.setTimer(-1);
  return call == 99 ? i32(a0) : -1;
}
export function start(hart: i32, cpu: i32): i32 { return machine.startHart(hart, cpu); }
export function state(hart: i32): i32 { return machine.hartStateOf(hart); }
export function send(hart: i32): i32 { return machine.sendIpi(hart); }
export function pointer(set: i64): i64 { const found = machine.hartPointer(); machine.setHartPointer(set); return found; }
export function pointerTwice(set: i64): i64 { machine.setHartPointer(set); return machine.hartPointer(); }
export function stack(): i32 { return machine.stackSlot() - machine.stackSlotFirst(); }
export function alarm(after: i64): i32 { machine.setTimer(machine.timeTicks() + after); return -1; }
export function raise(): i32 { machine.raiseSoft(); return -1; }
export function divide(by: i32): i32 { return 7 / by; }
export function fail(): i32 { unreachable(); return 0; }
export function touch(address: i32): i32 { return load<i32>(address); }
export function off(result: i32): void { machine.powerOff(result); }
export function forever(): void { while (atomic.load<i32>(0x1000) == 0) {} }
export function turn(): void { while (load<i32>(0x1000) == 0) {} }
export function prepare(space: i32, program: i32, argument: i32): i32 {
  return machine.prepareSpace(space, program, argument);
}
export function answer(space: i32, value: i64): void { machine.setReturn(space, value); }
export function copy(space: i32, from: i64, to: i32, bytes: i32): i32 {
  return machine.copyFromUser(space, from, to, bytes);
}
export function write(address: i32, bytes: i32): void { machine.writeLine(address, bytes); }
export function enter(space: i32): i32 { return space; }
export function add(times: i32): i32 {
  for (let i = 0; i < times; i++) atomic.store<i32>(0x2000, atomic.load<i32>(0x2000) + 1);
  return atomic.load<i32>(0x2000);
}
export function sum(): i32 {
  let total = 0;
  for (let at = 0; at < machine.deviceTreeBytes() + 16; at += 4) total = total * 31 + machine.deviceTreeWord(at);
  return total;
}
`;

/** Programs of one deed each, by number. */
export const PROBE_USER = `
@external("os", "call") declare function call(number: i32, a0: i64, a1: i64, a2: i64): i64;
function dive(n: i32): i32 { let x = 0; for (let i = 0; i < 2; i++) x += dive(n + 1) ^ i; return x; }
export function programCount(): i32 { return 9; }
export function start(program: i32, wide: i64): void {
  const argument = wide as i32;
  if (program == 0) return;
  if (program == 1) store<i32>(argument, 1);
  if (program == 2) store<i32>(64, load<i32>(argument));
  if (program == 3) unreachable();
  if (program == 4) call(99, call(98, argument, 2, 3), 0, 0);
  if (program == 5) while (true) store<i32>(64, load<i32>(64) + 1);
  if (program == 6) dive(0);
  if (program == 7) { store<i32>(4096, load<i32>(4096) + argument); call(98, load<i32>(4096), 0, 0); }
  if (program == 8) store<i32>(64, 5 / argument);
}
`;
