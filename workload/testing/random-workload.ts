// Random workloads: texts in rt-app's format from a seed. `tangled`: every event but run and runtime, waits that may never
// end included. `orderly`: with run, and so that each task makes all of its loops in every order of steps.
//
// Partners: interpreter.test.ts.

import { Random } from "../../machines/sim/random.ts";

export function tangledWorkload(seed: number): string {
  const random = new Random(seed);
  const count = 2 + random.below(4);
  const names = Array.from({ length: count }, (_, index) => `t${index}`);
  const tasks = names.map((name, index) => {
    const phases = Array.from({ length: 1 + random.below(3) }, (_, phase) => {
      const events = tangledEvents(random, index, phase);
      return `"p${phase}": {"loop": ${1 + random.below(3)}, ${events.join(", ")}}`;
    });
    const loop = random.below(3) === 0 ? -1 : 1 + random.below(4);
    const extra = random.below(4) === 0 ? `"delay": ${random.below(900)}, ` : "";
    return `"${name}": {"instance": ${1 + random.below(2)}, "loop": ${loop}, ${extra}"phases": {${phases.join(", ")}}}`;
  });
  // So that no wait is refused as one that nothing ends, and a fork.
  const helper = `"helper": {"loop": 40, "sleep": 900, "resume": "s0", "resume": "s1", "broad": "c0", "signal": "c1"}`;
  const forker = `"forker": {"loop": 2, "sleep": 1500, "fork": "child"}, "child": {"instance": 0, "loop": 2, "sleep": 700, "barrier": "all"}`;
  return `{"global": {"duration": 1}, "tasks": {${tasks.join(", ")}, ${helper}, ${forker}}}`;
}

function tangledEvents(random: Random, task: number, phase: number): string[] {
  const events: string[] = [`"sleep": ${random.below(3000)}`];
  for (let left = 1 + random.below(5); left > 0; left--) {
    const [mutex, condition] = [`m${random.below(2)}`, `c${random.below(2)}`];
    const both = `{"ref": "${condition}", "mutex": "${mutex}"}`;
    const sleep = `"sleep": ${random.below(2500)}`;
    const choices: string[][] = [
      [sleep],
      [`"yield": ""`],
      [`"lock": "${mutex}"`, sleep, `"unlock": "${mutex}"`],
      [`"lock": "${mutex}"`, `"wait": ${both}`, sleep, `"unlock": "${mutex}"`],
      [`"lock": "${mutex}"`, `"signal": "${condition}"`, `"unlock": "${mutex}"`],
      [`"broad": "${condition}"`],
      [`"sync": ${both}`],
      [`"suspend": "s${random.below(2)}"`],
      [`"resume": "s${random.below(2)}"`],
      [`"timer": {"ref": "unique${random.below(2)}", "period": ${random.below(4000)}}`],
      [`"timer": {"ref": "shared", "period": ${random.below(3000)}, "mode": "absolute"}`],
      phase === 0 && left === 1 ? [`"barrier": "b${task % 2}"`] : [sleep],
    ];
    events.push(...(choices[random.below(choices.length)] ?? []));
  }
  return events;
}

/** All tasks make the same number of turns, so that they meet at the barrier in each. */
export function orderlyWorkload(seed: number): string {
  const random = new Random(seed);
  const loop = 2 + random.below(4);
  const tasks = Array.from({ length: 2 + random.below(4) }, (_, index) => {
    const events: string[] = [];
    for (let left = 1 + random.below(4); left > 0; left--) {
      const mutex = `m${random.below(2)}`;
      const run = `"run": ${random.below(60)}`;
      const choices: string[][] = [
        [run],
        [`"runtime": ${random.below(60)}`],
        [`"sleep": ${random.below(300)}`],
        [`"yield": ""`],
        [`"lock": "${mutex}"`, run, `"unlock": "${mutex}"`],
        [`"lock": "m0"`, `"lock": "m1"`, run, `"unlock": "m1"`, `"unlock": "m0"`],
        [`"timer": {"ref": "unique", "period": ${random.below(500)}}`],
      ];
      events.push(...(choices[random.below(choices.length)] ?? []));
    }
    events.push(`"barrier": "all"`);
    return `"t${index}": {"instance": ${1 + random.below(2)}, "loop": ${loop}, ${events.join(", ")}}`;
  });
  const forks = `"forker": {"loop": ${loop}, "run": 20, "fork": "child"}, "child": {"instance": 0, "loop": 1, "run": 30}`;
  return `{"global": {"duration": 100}, "tasks": {${tasks.join(", ")}, ${forks}}}`;
}
