// Machine state: two machines compared for tests, down to what only their next moves would show.
//
// Partners: machine.ts, whose private parts it reads.

import { createHash } from "node:crypto";
import { NO_SITE } from "./hart.ts";
import type { Machine } from "./machine.ts";
import type { Space } from "./space.ts";

/** What decides what a machine does from here on, and what it has shown, in a form that `toEqual` compares. */
export function stateOf(machine: Machine): unknown {
  const { harts, clock, firmware, courier, console } = machine["parts"];
  const { kernel, kernelBytes, spaces, end } = machine["execution"];
  return {
    memory: digestOf(kernelBytes),
    globals: kernel.globalValues(),
    harts: harts.map((hart) => ({
      ...hart,
      frames: hart.site === NO_SITE ? null : digestOf(kernel.frames(machine["execution"]["regionOf"](hart))),
    })),
    spaces: spaces.map((space) => (space.phase === "empty" ? null : spaceOf(space))),
    time: clock.fractions,
    firmware: [firmware["path"], firmware["sends"]],
    underWay: courier["list"],
    console: [console["lines"], console["waiting"], console["sentBytes"]],
    end,
  };
}

function spaceOf(space: Space): unknown {
  const { phase } = space;
  const occupant = space["occupant"];
  if (occupant === undefined) throw new Error("a space that is not empty has no instance");
  const { instance, region, module } = occupant;
  const { ownBytes } = module.image;
  const isSuspended = phase === "paused" || phase === "calling";
  return {
    ...{ phase, first: module.first, values: space["values"], answer: space["answer"] },
    memory: digestOf(new Uint8Array(instance.memory.buffer, 0, ownBytes)),
    frames: isSuspended ? digestOf(instance.frames(region)) : null,
    globals: instance.globalValues(),
  };
}

function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
