// Boots the embedded machine in a headless Chromium and in Node, and compares the consoles byte for byte.
//
// Usage: npm run test:browser. Needs Debian's `chromium` (or CHROMIUM=/path) and what `npm run build` makes.
// Exit 0: the same; 1: different; 3: no Chromium.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { bootSim } from "../dist/machines/sim/boot.js";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const CHROMIUM = process.env["CHROMIUM"] ?? "chromium";
const HARTS = 4;
const SEED = 7;

const PAGE = `<!doctype html><pre></pre><script type="module">
import { bootSim } from "/dist/machines/sim/boot.js";
const out = document.querySelector("pre");
const load = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());
const kernel = await load("/build/kernel.sim.wasm");
const user = await load("/build/user.sim.wasm");
const run = bootSim({ kernel, user, harts: ${HARTS}, seed: ${SEED} });
for await (const line of run.lines) out.append(line + "\\n");
out.append(JSON.stringify(await run.outcome));
</script>`;

const TYPES = new Map([
  [".js", "text/javascript"],
  [".wasm", "application/wasm"],
]);

const server = createServer(async (request, response) => {
  const path = normalize(new URL(request.url ?? "/", "http://localhost").pathname);
  if (path === "/") return void response.writeHead(200, { "content-type": "text/html" }).end(PAGE);
  const body = await readFile(join(ROOT, path)).catch(() => null);
  const type = TYPES.get(extname(path)) ?? "application/octet-stream";
  response.writeHead(body === null ? 404 : 200, { "content-type": type }).end(body ?? "");
});

async function consoleInBrowser(port) {
  const profile = await mkdtemp(join(tmpdir(), "hartbeat-browser-"));
  const quiet = ["no-first-run", "disable-background-networking", "disable-component-update", "disable-sync"];
  const flags = ["headless", "no-sandbox", "disable-gpu", "disable-quic", ...quiet, `user-data-dir=${profile}`];
  const page = ["--virtual-time-budget=60000", "--dump-dom", `http://127.0.0.1:${port}/`];
  const child = spawn(CHROMIUM, [...flags.map((flag) => `--${flag}`), ...page], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  let dom = "";
  child.stdout.on("data", (chunk) => (dom += chunk));
  await once(child, "close");
  await rm(profile, { recursive: true, force: true });
  const text = /<pre>([\s\S]*?)<\/pre>/.exec(dom)?.[1] ?? "";
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

async function consoleInNode() {
  const [kernel, user] = await Promise.all(
    ["kernel", "user"].map((name) => readFile(join(ROOT, `build/${name}.sim.wasm`))),
  );
  const run = bootSim({ kernel, user, harts: HARTS, seed: SEED });
  let text = "";
  for await (const line of run.lines) text += `${line}\n`;
  return text + JSON.stringify(await run.outcome);
}

if (spawnSync(CHROMIUM, ["--version"]).error !== undefined) {
  console.error(`browser: ${CHROMIUM} is not here; install it with: apt-get install chromium`);
  process.exit(3);
}
server.listen(0, "127.0.0.1");
await once(server, "listening");
const [browser, node] = [await consoleInBrowser(server.address().port), await consoleInNode()];
server.close();
server.closeAllConnections();
const lines = node.split("\n").length - 1;
if (browser === node) console.log(`browser: ${HARTS} harts, seed ${SEED}: ${lines} lines, the same as in Node`);
else console.error(`browser: the consoles differ\n--- Chromium\n${browser}\n--- Node\n${node}`);
process.exit(browser === node ? 0 : 1);
