// Small system: the least kernel and user programs that the whole pipeline takes, image for virt included (tests only).
import type { Sources } from "./sources.ts";

export const SMALL_SYSTEM: Sources = {
  "abi/qos.ts": "export const QOS_COUNT = 4;\n",
  "kernel/machine.ts": `export declare function powerOff(result: i32): void;
export declare function sendIpi(hart: i32): i32;
`,
  "kernel/shared.ts": `export function add32(address: i32, value: i32): i32 {
  return atomic.add<i32>(address as usize, value);
}
`,
  "kernel/index.ts": `import { QOS_COUNT } from "../abi/qos";
import { powerOff } from "./machine";
import { add32 } from "./shared";
export function boot(hart: i32): i32 {
  for (let qos = 0; qos < QOS_COUNT; qos++) add32(8192, hart);
  powerOff(0);
  return -1;
}
export function bootSecondary(cpu: i32): i32 {
  return cpu;
}
export function trap(cause: i32, value: i64, call: i32, a0: i64, a1: i64, a2: i64): i32 {
  return cause + call + ((value + a0 + a1 + a2) as i32);
}
`,
  "user/os.ts": "export declare function call(number: i32, a0: i64, a1: i64, a2: i64): i64;\n",
  "user/index.ts": `import { call } from "./os";
export function start(program: i32, argument: i32): void {
  store<i32>(8192, argument);
  call(program, argument, 0, 0);
}
export function programCount(): i32 {
  return 1;
}
`,
  "toolchain/version.ts": "// Stands for the toolchain's own sources, which are inputs too.\n",
};
