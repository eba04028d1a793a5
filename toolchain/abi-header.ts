// ABI header: abi/ as C and assembly read it, so that a size or a number has one spelling.
//
// Owner: none, a pure function of abi/.
// Invariant: every name is printed once; numbers carry no suffix, because assembly and linker scripts read them too.
// Partners: gcc.ts writes the result as abi.h; everything in machines/virt includes it.
import { EventKind } from "../abi/events.ts";
import * as layout from "../abi/layout.ts";
import { IpiPath, LineOutcome, MachineError, PowerOff } from "../abi/results.ts";
import { Syscall } from "../abi/syscalls.ts";
import * as taskTable from "../abi/task-table.ts";
import { TrapCause } from "../abi/traps.ts";

/** abi.h: `#define CPUS_MAX 64`, and `#define MACHINE_ERROR_OK 0` for a member of an enum. */
export function abiHeader(): string {
  const lines = ["// Generated from abi/; do not edit.", "#ifndef ABI_H", "#define ABI_H", ""];
  for (const [name, value] of Object.entries({ ...layout, ...taskTable })) lines.push(`#define ${name} ${value}`);
  const enums = { EventKind, IpiPath, LineOutcome, MachineError, PowerOff, Syscall, TrapCause };
  for (const [prefix, members] of Object.entries(enums)) {
    lines.push("");
    for (const [member, value] of Object.entries(members))
      // An enum object also maps numbers back to names; only the way from name to number is wanted.
      if (typeof value === "number") lines.push(`#define ${upper(prefix)}_${upper(member)} ${value}`);
  }
  return [...lines, "", "#endif", ""].join("\n");
}

/** `NotSupported` -> `NOT_SUPPORTED` */
export function upper(name: string): string {
  return name.replaceAll(/(?<=[a-z])[A-Z]/g, (capital) => `_${capital}`).toUpperCase();
}
