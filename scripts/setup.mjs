// Set-up: brings a clone to the state in which `hartbeat` can run, doing only what is missing.

import { ensureHost } from "./setup/host.mjs";
import { ensurePackages } from "./setup/packages.mjs";

export function ensureReady() {
  ensurePackages();
  ensureHost();
}
