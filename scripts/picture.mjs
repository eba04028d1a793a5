// npm run picture: draws docs/images/prove.svg from a real run, as a terminal shows it.

import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { giveUp, root } from "./setup/step.mjs";

const ARGUMENTS = ["prove", "--machine", "sim", "--smp", "2"];
const FONT_SIZE = 14;
const CELL = { width: 8.43, height: 19 };
const MARGIN = { side: 18, top: 30, bottom: 10 };
const COLORS = { background: "#0d1117", text: "#e6edf3", green: "#3fb950", red: "#f85149", dim: "#7d8590" };

/** What each SGR code of the terminal changes in the look of the text after it. */
const CODES = new Map([
  [0, { fill: undefined, bold: false }],
  [1, { bold: true }],
  [2, { fill: COLORS.dim }],
  [22, { bold: false, fill: undefined }],
  [31, { fill: COLORS.red }],
  [32, { fill: COLORS.green }],
  [39, { fill: undefined }],
]);

const run = spawnSync(process.execPath, [join(root, "bin", "hartbeat.js"), ...ARGUMENTS], {
  // An empty folder: the picture is of the run alone, whatever was explored here before.
  cwd: mkdtempSync(join(tmpdir(), "hartbeat-picture-")),
  env: { ...process.env, FORCE_COLOR: "1", NO_COLOR: undefined },
  encoding: "utf8",
});
if (run.status !== 0) giveUp(`no picture of a run that is not green (exit code ${run.status})`, 1);
writeFileSync(
  join(root, "docs", "images", "prove.svg"),
  draw([`\u001b[2m$\u001b[22m npx hartbeat ${ARGUMENTS.join(" ")}`, ...run.stdout.trimEnd().split("\n")]),
);

function draw(lines) {
  const columns = Math.max(...lines.map((line) => line.replaceAll(/\u001b\[\d+m/g, "").length));
  const width = Math.ceil(columns * CELL.width + 2 * MARGIN.side);
  const height = MARGIN.top + lines.length * CELL.height + MARGIN.bottom;
  const rows = lines.map((line, index) => {
    const y = MARGIN.top + index * CELL.height;
    return `<text x="${MARGIN.side}" y="${y}" xml:space="preserve">${drawLine(line)}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="A green run of hartbeat prove">`,
    `<rect width="100%" height="100%" rx="8" fill="${COLORS.background}"/>`,
    `<g font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="${FONT_SIZE}" fill="${COLORS.text}">`,
    ...rows,
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}

function drawLine(line) {
  let style = { fill: undefined, bold: false };
  let drawn = "";
  for (const part of line.split(/(\u001b\[\d+m)/)) {
    const code = /^\u001b\[(\d+)m$/.exec(part)?.[1];
    if (code !== undefined) style = { ...style, ...CODES.get(Number(code)) };
    else if (part !== "") drawn += drawPart(part, style);
  }
  return drawn;
}

function drawPart(text, { fill, bold }) {
  const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  if (fill === undefined && !bold) return escaped;
  const color = fill === undefined ? "" : ` fill="${fill}"`;
  return `<tspan${color}${bold ? ' font-weight="bold"' : ""}>${escaped}</tspan>`;
}
