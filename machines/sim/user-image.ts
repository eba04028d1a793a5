// User image: the modules of user programs on an embedded machine; their programs are numbered through.
//
// Owner: the machine. A module with a shared memory has one memory for all of its tasks, which is as instantiation leaves
// it when the first of them is prepared.
// Partners: space.ts, which makes the instances; execution.ts, which makes this.

import { ENTRY_RUN } from "../../toolchain/sites.ts";
import { memoryFor, type PausableModule, Resumable } from "./resumable-instance.ts";

/** One module of the image. */
export interface UserModule {
  readonly image: PausableModule;
  /** The number of its first program in the whole image. */
  readonly first: number;
  readonly end: number;
  /** Its tasks share this memory; undefined: each has one of its own. */
  readonly shared: SharedMemory | undefined;
}

export class SharedMemory {
  readonly memory: WebAssembly.Memory;
  /** Cleared when the machine is reset: the next task prepared is the first. */
  isPrepared = false;

  constructor(image: PausableModule) {
    this.memory = memoryFor(image);
  }
}

export class UserImage {
  readonly modules: readonly UserModule[];

  constructor(images: readonly PausableModule[]) {
    let end = 0;
    this.modules = images.map((image) => {
      const first = end;
      end += countPrograms(image);
      return { image, first, end, shared: image.shared ? new SharedMemory(image) : undefined };
    });
  }

  get programCount(): number {
    return this.modules.at(-1)?.end ?? 0;
  }

  /** The module that has the program; undefined where there is no such program. */
  moduleOf(program: number): UserModule | undefined {
    return program < 0 ? undefined : this.modules.find(({ end }) => program < end);
  }

  reset(): void {
    for (const { shared } of this.modules) if (shared !== undefined) shared.isPrepared = false;
  }
}

/** Number of programs in a module, as its own export returns; a module that exports `run` has one. */
function countPrograms(image: PausableModule): number {
  return exportsRun(image) ? 1 : constantOf(image, "programCount");
}

export function exportsRun({ module }: PausableModule): boolean {
  return WebAssembly.Module.exports(module).some(({ name }) => name === ENTRY_RUN);
}

/** What an export of a user image that takes nothing returns. */
export function constantOf(image: PausableModule, name: string): number {
  const memory = memoryFor(image);
  const sim = { pause: refuse, outside: refuse, stuck: refuse, access: refuse };
  const instance = new Resumable(image.module, { env: { memory }, os: { call: refuse }, sim }, memory);
  const region = image.ownBytes;
  const outcome = instance.enter(region, image.memoryBytes - region, name, []);
  return outcome.kind === "returned" ? Number(outcome.value) : 0;
}

function refuse(): never {
  throw new Error("a constant of a user image must not pause, call or leave its memory");
}
