// Paint: colours for text on stdout, where stdout takes them (NO_COLOR, FORCE_COLOR and TERM are heeded).

import { styleText } from "node:util";

export type Colour = "green" | "yellow" | "red" | "blue" | "gray";

export function paint(colour: Colour, text: string): string {
  return styleText(colour, text, { stream: process.stdout });
}
