// Why a hart entered the kernel: the scause codes of the RISC-V privileged specification (table 4.2),
// with the interrupt flag moved from bit 63 to bit 31.

export const INTERRUPT_FLAG = 0x80000000;

export enum TrapCause {
  InstructionAccess = 1,
  IllegalInstruction = 2,
  Breakpoint = 3,
  LoadMisaligned = 4,
  LoadAccess = 5,
  StoreMisaligned = 6,
  StoreAccess = 7,
  SystemCall = 8,
  InstructionPage = 12,
  LoadPage = 13,
  StorePage = 15,
  SoftInterrupt = -2147483647,
  TimerInterrupt = -2147483643,
}
