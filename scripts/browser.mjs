// Boots the embedded machine and replays a saved counterexample in a headless Chromium and in Node, and compares what both
// say byte for byte.
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
import { main as asc } from "assemblyscript/asc";
import { explore, parseCounterexample, renderCounterexample, replay } from "../dist/explore/index.js";
import { bootSim } from "../dist/machines/sim/machine-boot.js";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const CHROMIUM = process.env["CHROMIUM"] ?? "chromium";
const HARTS = 4;
const SEED = 7;

const BOOT_PAGE = `<!doctype html><pre></pre><script type="module">
import { bootSim } from "/dist/machines/sim/machine-boot.js";
const out = document.querySelector("pre");
const load = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());
const kernel = await load("/build/kernel.sim.wasm");
const user = await load("/build/user.sim.wasm");
const run = bootSim({ kernel, user, harts: ${HARTS}, seed: ${SEED} });
for await (const line of run.lines) out.append(line + "\\n");
out.append(JSON.stringify(await run.outcome));
</script>`;

const REPLAY_PAGE = `<!doctype html><pre></pre><script type="module">
import { parseCounterexample, renderCounterexample, replay } from "/dist/explore/index.js";
const wasm = new Uint8Array(await (await fetch("/explored/module.wasm")).arrayBuffer());
const saved = await (await fetch("/explored/counterexample.json")).text();
document.querySelector("pre").append((${replayed})(wasm, saved, { parseCounterexample, renderCounterexample, replay }));
</script>`;

/** What a replay gives: the steps that it took, and the text for people. This text runs in the page, too. */
function replayed(wasm, saved, explorer) {
  const { counterexample } = explorer.parseCounterexample(saved);
  const outcome = explorer.replay(counterexample, wasm);
  if (outcome.kind !== "reproduced") throw new Error(JSON.stringify(outcome));
  const text = explorer.renderCounterexample({ ...counterexample, steps: outcome.steps }, { width: 100 });
  return text + "\n" + JSON.stringify(outcome.steps);
}

/** By path: what is served besides the files of the package. */
const served = new Map([
  ["/boot", BOOT_PAGE],
  ["/replay", REPLAY_PAGE],
]);

const TYPES = new Map([
  [".js", "text/javascript"],
  [".wasm", "application/wasm"],
  [".json", "application/json"],
]);

const server = createServer(async (request, response) => {
  const path = normalize(new URL(request.url ?? "/", "http://localhost").pathname);
  if (served.has(path)) {
    const type = TYPES.get(extname(path)) ?? "text/html";
    return void response.writeHead(200, { "content-type": type }).end(served.get(path));
  }
  const body = await readFile(join(ROOT, path)).catch(() => null);
  const type = TYPES.get(extname(path)) ?? "application/octet-stream";
  response.writeHead(body === null ? 404 : 200, { "content-type": type }).end(body ?? "");
});

async function textInBrowser(port, path) {
  const profile = await mkdtemp(join(tmpdir(), "hartbeat-browser-"));
  const quiet = ["no-first-run", "disable-background-networking", "disable-component-update", "disable-sync"];
  const flags = ["headless", "no-sandbox", "disable-gpu", "disable-quic", ...quiet, `user-data-dir=${profile}`];
  const page = ["--virtual-time-budget=60000", "--dump-dom", `http://127.0.0.1:${port}${path}`];
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

/** A planted fault of the examples, found here; what is saved of it goes through the file format. */
async function foundInNode() {
  const source = await readFile(join(ROOT, "examples/assemblyscript/faults/aba.ts"), "utf8");
  const options =
    "--runtime stub --enable threads --importMemory --sharedMemory --initialMemory 1 --maximumMemory 1 -O2";
  let wasm = null;
  const { error } = await asc(["module.ts", "--outFile", "module.wasm", "--debug", ...options.split(" ")], {
    readFile: (name) => (name === "module.ts" ? source : null),
    writeFile: (_, contents) => void (wasm = contents),
    listFiles: () => [],
  });
  if (error !== null || wasm === null) throw error ?? new Error("the example does not compile");
  const threads = [{ function: "popper" }, { function: "recycler" }];
  const { verdict } = await explore({ wasm, threads, init: "init", invariant: "owned" });
  if (verdict.kind !== "violated") throw new Error("the planted fault was not found");
  return { wasm, saved: JSON.stringify(verdict.counterexample) };
}

/** 0 where both say the same. */
function compare(what, browser, node) {
  if (browser === node) console.log(`browser: ${what}, the same as in Node`);
  else console.error(`browser: ${what}: they differ\n--- Chromium\n${browser}\n--- Node\n${node}`);
  return browser === node ? 0 : 1;
}

if (spawnSync(CHROMIUM, ["--version"]).error !== undefined) {
  console.error(`browser: ${CHROMIUM} is not here; install it with: apt-get install chromium`);
  process.exit(3);
}
server.listen(0, "127.0.0.1");
await once(server, "listening");
const { port } = server.address();
const { wasm, saved } = await foundInNode();
served.set("/explored/module.wasm", wasm).set("/explored/counterexample.json", saved);
const inNode = [await consoleInNode(), replayed(wasm, saved, { parseCounterexample, renderCounterexample, replay })];
const inBrowser = [await textInBrowser(port, "/boot"), await textInBrowser(port, "/replay")];
server.close();
server.closeAllConnections();
const lines = inNode[0].split("\n").length - 1;
const differences =
  compare(`${HARTS} harts, seed ${SEED}: ${lines} lines`, inBrowser[0], inNode[0]) +
  compare(`a counterexample of ${JSON.parse(saved).schedule.length} steps`, inBrowser[1], inNode[1]);
process.exit(differences === 0 ? 0 : 1);
