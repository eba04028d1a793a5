// Line log: the console. It keeps what was written and passes each line on as it comes.
//
// Invariant: a restored log holds the lines of the captured one; lines passed on before cannot be taken back.

export type LineListener = (line: string) => void;

export class LineLog {
  private lines: string[] = [];

  constructor(private readonly listener: LineListener) {}

  write(line: string): void {
    this.lines.push(line);
    this.listener(line);
  }

  capture(): readonly string[] {
    return this.lines.slice();
  }

  restore(lines: readonly string[]): void {
    this.lines = lines.slice();
  }
}
