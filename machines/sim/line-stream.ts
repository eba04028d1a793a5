// Line stream: lines on their way from a run to its one reader.
//
// Invariant: the reader gets every line that was written before the end, in order, then the end.

export class LineStream implements AsyncIterable<string> {
  private readonly waiting: string[] = [];
  private ended = false;
  private wake: (() => void) | undefined;

  write(line: string): void {
    this.waiting.push(line);
    this.wake?.();
  }

  end(): void {
    this.ended = true;
    this.wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<string> {
    while (true) {
      yield* this.waiting.splice(0);
      if (this.waiting.length > 0) continue;
      if (this.ended) return;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }
}
