// Build cache: whether what lies under build/ was made from exactly these inputs, and how to replace it at once.
//
// Owner: the stamp files build/*.stamp.json. A stamp is written after the outputs, so a build that was cut short is
// never taken for a finished one; a lock lets one process build while the others wait and then find it done.
// Pairs with: build.ts.
import { createHash, randomUUID } from "node:crypto";
import { link, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Bytes by path relative to the build folder. */
export type Outputs = Map<string, Uint8Array | string>;

/** Names, relative to the root, of the files in a folder that match; none when the folder is missing. */
export async function filesIn(root: string, folder: string, matches: RegExp): Promise<string[]> {
  const names = await readdir(join(root, folder)).catch(() => []);
  return names
    .filter((name) => matches.test(name) && !/\.(test|scenario|conformance|bench)\./.test(name))
    .map((name) => `${folder}/${name}`);
}

/** A hash over the names and contents of files and over further keys, such as tool versions. */
export async function hashOf(root: string, files: string[], keys: string[]): Promise<string> {
  const hash = createHash("sha256");
  const sorted = files.toSorted();
  const contents = await Promise.all(sorted.map((name) => readFile(join(root, name))));
  sorted.forEach((name, i) => hash.update(`${name}\0${contents[i]?.length}\0`).update(contents[i] ?? ""));
  for (const word of keys) hash.update(`${word}\0`);
  return hash.digest("hex");
}

/** True when the stamp carries this hash and every output that it names is there. */
export async function isFresh(buildFolder: string, name: string, hash: string): Promise<boolean> {
  return (await stampedHash(buildFolder, name)) === hash;
}

/** The hash of the inputs from which what lies there was made; null when there is no stamp or an output is missing. */
export async function stampedHash(buildFolder: string, name: string): Promise<string | null> {
  const stamp = await readStamp(buildFolder, name);
  if (stamp === null) return null;
  const present = await Promise.all(
    Object.entries(stamp.outputs).map(async ([output, size]) => {
      const found = await stat(join(buildFolder, output)).catch(() => null);
      return found?.size === size;
    }),
  );
  return present.every(Boolean) ? stamp.hash : null;
}

interface Stamp {
  hash: string;
  /** Size in bytes by path. */
  outputs: Record<string, number>;
}

async function readStamp(buildFolder: string, name: string): Promise<Stamp | null> {
  const text = await readFile(join(buildFolder, `${name}.stamp.json`), "utf8").catch(() => null);
  if (text === null) return null;
  try {
    return JSON.parse(text) as Stamp;
  } catch {
    // A stamp that cannot be read is no stamp.
    return null;
  }
}

/** Writes the outputs, each in one step, and the stamp last. */
export async function store(buildFolder: string, name: string, hash: string, outputs: Outputs): Promise<void> {
  const sizes: Record<string, number> = {};
  for (const [output, contents] of outputs) {
    await writeWhole(join(buildFolder, output), contents);
    sizes[output] = Buffer.byteLength(contents);
  }
  const stamp: Stamp = { hash, outputs: sizes };
  await writeWhole(join(buildFolder, `${name}.stamp.json`), `${JSON.stringify(stamp, null, 2)}\n`);
}

async function writeWhole(path: string, contents: Uint8Array | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const partial = `${path}.${process.pid}.part`;
  await writeFile(partial, contents);
  await rename(partial, path);
}

const LOCK_POLL_MS = 50;

/** Runs the work while no other process builds. A lock whose process is gone is taken over. */
export async function whileLocked<T>(buildFolder: string, work: () => Promise<T>): Promise<T> {
  const lock = join(buildFolder, "build.lock");
  await mkdir(buildFolder, { recursive: true });
  while (!(await tryLock(lock))) {
    if (await isAbandoned(lock)) await rm(lock, { force: true });
    else await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

/** The lock appears whole, with its owner's number in it, or not at all. */
async function tryLock(lock: string): Promise<boolean> {
  const mine = `${lock}.${process.pid}.${randomUUID()}`;
  await writeFile(mine, String(process.pid));
  try {
    await link(mine, lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(mine, { force: true });
  }
}

async function isAbandoned(lock: string): Promise<boolean> {
  const text = await readFile(lock, "utf8").catch(() => null);
  if (text === null) return false;
  const owner = Number(text);
  if (!Number.isInteger(owner) || owner <= 0) return true;
  try {
    process.kill(owner, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}
