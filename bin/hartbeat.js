#!/usr/bin/env node
// The `hartbeat` command. In a clone it first sets up what is missing or stale; a published package carries
// everything built and has no set-up scripts.

import { existsSync } from "node:fs";

const setup = new URL("../scripts/setup.mjs", import.meta.url);
if (existsSync(setup)) (await import(setup.href)).ensureReady();
const { main } = await import("../dist/cli/main.js");
process.exitCode = await main(process.argv.slice(2));
