// Operand stack: the locals of a resumable function, and its operands, each in a local ("slot") or on the wasm stack.
//
// Owner: one function. Invariant: operands of `stack` that are physically on the wasm stack are its top part.
// Pairs with: block-flattening.ts and pause-points.ts, which push and take.

import type { WasmFunction } from "../../wasm/module.ts";
import type { ValueType } from "../../wasm/opcodes.ts";
import { I32 } from "../../wasm/opcodes.ts";
import { FragmentWriter } from "./fragments.ts";
import type { ResumableContext } from "./resumable-context.ts";
import type { Temporary } from "./rewrite.ts";
import { assertDefined } from "../../wasm/assert-defined.ts";

interface Operand {
  readonly type: ValueType;
  physical: boolean;
}

export class OperandStack extends FragmentWriter {
  protected readonly func: WasmFunction;
  protected readonly context: ResumableContext;
  protected readonly stack: Operand[] = [];
  protected readonly localTypes: ValueType[];
  /** Parameters of `run` behind the function's own. */
  protected readonly frame: number;
  protected readonly point: number;
  /** Is the function being entered again, and was it? */
  protected readonly resuming: number;
  protected readonly resumed: number;
  protected readonly condition: number;
  private readonly named = new Map<string, number>();

  constructor(func: WasmFunction, context: ResumableContext) {
    super();
    this.func = func;
    this.context = context;
    const params = func.type.params.length;
    this.frame = params;
    this.point = params + 1;
    this.localTypes = [...func.type.params, I32, I32, ...func.locals];
    this.resuming = this.addLocal(I32);
    this.resumed = this.addLocal(I32);
    this.condition = this.addLocal(I32);
  }

  private addLocal(type: ValueType): number {
    this.localTypes.push(type);
    return this.localTypes.length - 1;
  }

  protected namedLocal(name: string, type: ValueType): number {
    const key = `${name}:${type}`;
    const known = this.named.get(key);
    if (known !== undefined) return known;
    const local = this.addLocal(type);
    this.named.set(key, local);
    return local;
  }

  protected readonly temporary: Temporary = (type, purpose) => this.namedLocal(purpose, type);
  protected slot(height: number, type: ValueType): number {
    return this.namedLocal(`slot ${height}`, type);
  }
  /** The local of `run` that holds a local of the function. */
  protected own(local: number): number {
    return local < this.func.type.params.length ? local : local + 2;
  }

  protected push(...types: readonly ValueType[]): void {
    for (const type of types) this.stack.push({ type, physical: true });
  }
  protected pushSlots(types: readonly ValueType[]): void {
    for (const type of types) this.stack.push({ type, physical: false });
  }
  protected flush(): void {
    for (let height = this.stack.length - 1; height >= 0 && assertDefined(this.stack[height]).physical; height--) {
      this.code.set(this.slot(height, assertDefined(this.stack[height]).type));
      assertDefined(this.stack[height]).physical = false;
    }
  }
  /** Makes the top operands physical. */
  protected need(count: number): void {
    const from = this.stack.length - count;
    if (count === 0 || assertDefined(this.stack[from]).physical) return;
    this.flush();
    for (let height = from; height < this.stack.length; height++) {
      this.code.get(this.slot(height, assertDefined(this.stack[height]).type));
      assertDefined(this.stack[height]).physical = true;
    }
  }
  protected take(count: number): void {
    this.need(count);
    this.stack.length -= count;
  }
}
