// Line queue: text in chunks of any size goes in, whole lines come out, to one reader.
//
// Owner: the producer calls push and end, one reader iterates.
// Invariant: a line is what stands before "\n", without a "\r" before it; text after the last line end is a line of
// its own when the queue ends, unless it is empty.
export class LineQueue implements AsyncIterable<string> {
  readonly #lines: string[] = [];
  #partial = "";
  #ended = false;
  #wake: (() => void) | undefined;

  push(text: string): void {
    const chunks = (this.#partial + text).split("\n");
    this.#partial = chunks.pop() ?? "";
    for (const chunk of chunks) this.#lines.push(chunk.replace(/\r+$/, ""));
    this.#wakeReader();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#partial !== "") this.#lines.push(this.#partial.replace(/\r+$/, ""));
    this.#partial = "";
    this.#wakeReader();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string, void, void> {
    for (;;) {
      yield* this.#lines.splice(0);
      if (this.#lines.length > 0) continue;
      if (this.#ended) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #wakeReader(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
