// Wasm stack: how many values an instruction takes and leaves, for walks that follow values.
//
// Owner: none, a table by name. Blocks and calls depend on their types and are the walks' own business.
// Pairs with: atomic-widths.ts, discarded-calls.ts, loop-bounds.ts.

const NO_OPERAND =
  /^(nop|local\.get|unreachable|br|return|[if]\d\d\.const|global\.get|memory\.size|atomic\.fence|data\.drop)$/;
const ONE_OPERAND =
  /\.(eqz|clz|ctz|popcnt|wrap_i64|extend\w*|load\w*|convert\w*|trunc\w*|reinterpret\w*|demote\w*|promote\w*|abs|neg|ceil|floor|nearest|sqrt)$|^(drop|br_if|br_table|local\.set|local\.tee|global\.set|memory\.grow)$/;
const THREE_OPERANDS = /cmpxchg|^select$|^memory\.(copy|fill|init)$|wait/;

/** Values that an instruction other than a call or a block takes from the stack. */
export function operandCount(op: string): number {
  if (NO_OPERAND.test(op)) return 0;
  if (ONE_OPERAND.test(op)) return 1;
  return THREE_OPERANDS.test(op) ? 3 : 2;
}

/** Whether it leaves one there. */
export function hasResult(op: string): boolean {
  if (/^(nop|unreachable|br|br_if|br_table|return|drop|local\.set|global\.set|atomic\.fence|data\.drop)$/.test(op))
    return false;
  return !/\.store|^memory\.(copy|fill|init)$/.test(op);
}
