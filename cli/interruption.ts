// Interruption: Ctrl-C asks a command to stop and keep what it knows; a second one leaves at once.

export interface Interruption {
  readonly signal: AbortSignal;
  /** Takes the handlers away again. */
  release(): void;
}

export function watchInterruption(): Interruption {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(130);
    process.stderr.write("\ninterrupted: stopping, once more to leave at once\n");
    controller.abort();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return {
    signal: controller.signal,
    release: () => {
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
    },
  };
}
