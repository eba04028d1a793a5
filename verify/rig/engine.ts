// Engine: the kernel instantiated over a fake machine, ready to be called.
//
// The plain one runs the artifact itself; the pausable one runs its pausable form, and can leave a call in the middle.
// Partners: rig.ts calls to the end; interleaving.ts leaves and resumes.

import { KERNEL_PAGES } from "../../abi/layout.ts";
import { type Argument, type CallOutcome, memoryFor, Resumable } from "../../machines/sim/resumable-instance.ts";
import { throwOutside, throwStuck } from "../../machines/sim/signal.ts";
import { FakeMachine } from "./fake-machine.ts";
import type { KernelImage } from "./kernel-image.ts";

export interface Engine {
  readonly machine: FakeMachine;
  readonly memory: WebAssembly.Memory;
  /** Calls an export to its end. */
  call(name: string, values: readonly Argument[]): Argument | undefined;
}

export function plainEngine(image: KernelImage, cpus: number): Engine {
  const memory = new WebAssembly.Memory({ initial: KERNEL_PAGES, maximum: KERNEL_PAGES, shared: true });
  const machine = new FakeMachine(cpus, () => new Uint8Array(memory.buffer));
  const instance = new WebAssembly.Instance(image.module, {
    ...image.imports,
    env: { memory },
    machine: machine.imports(),
  });
  const call = (name: string, values: readonly Argument[]): Argument | undefined => {
    const found = instance.exports[name];
    if (typeof found !== "function") throw new Error(`the kernel exports no ${name}`);
    return found(...values) as Argument | undefined;
  };
  return { machine, memory, call };
}

/** Bytes of the region that a paused hart's frames go to. */
const REGION_BYTES = 0x8000;

export class PausableEngine implements Engine {
  readonly machine: FakeMachine;
  readonly memory: WebAssembly.Memory;
  private readonly kernel: Resumable;
  private readonly firstRegion: number;
  /** Pauses that the running call may still pass before it is left. */
  private passes = Infinity;
  /** Pauses passed by the running call since it was entered or resumed. */
  private passed = 0;

  constructor(image: KernelImage, cpus: number) {
    const { pausable } = image;
    this.memory = memoryFor(pausable);
    this.firstRegion = pausable.ownBytes;
    this.machine = new FakeMachine(cpus, () => new Uint8Array(this.memory.buffer));
    const sim = { pause: () => this.pause(), outside: throwOutside, stuck: throwStuck };
    this.kernel = new Resumable(
      pausable.module,
      { ...image.imports, env: { memory: this.memory }, machine: this.machine.imports(), sim },
      this.memory,
    );
  }

  call(name: string, values: readonly Argument[]): Argument | undefined {
    this.passes = Infinity;
    const outcome = this.kernel.enter(this.region(0), REGION_BYTES, name, values);
    if (outcome.kind === "paused") throw new Error(`${name} paused although nothing asked it to`);
    return outcome.value;
  }

  /** Runs a call of a CPU from its beginning, or goes on with it, for at most `steps` pauses. */
  run(
    cpu: number,
    name: string,
    values: readonly Argument[],
    entered: boolean,
    steps: number,
  ): { readonly outcome: CallOutcome; readonly steps: number } {
    this.machine.running = cpu;
    // The pause at which a resumed call stands is not counted again.
    this.passes = steps;
    this.passed = 0;
    const outcome = entered
      ? this.kernel.resume(this.region(cpu), name, values)
      : this.kernel.enter(this.region(cpu), REGION_BYTES, name, values);
    return { outcome, steps: this.passed };
  }

  private pause(): void {
    if (this.kernel.arrive()) {
      this.passed += 1;
      return;
    }
    if (this.passed >= this.passes) this.kernel.leave();
    else this.passed += 1;
  }

  private region(cpu: number): number {
    return this.firstRegion + cpu * REGION_BYTES;
  }
}
