import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const script = fileURLToPath(new URL("qemu-test.sh", import.meta.url));

/** Runs the script with just these of its variables. */
function run(variables) {
  const none = { SMP: undefined, REQUIRE_SMP: undefined, RUN_UNTIL_MARKER: undefined, RUN_TIMEOUT: undefined };
  const result = spawnSync(script, [], { env: { ...process.env, ...none, ...variables }, encoding: "utf8" });
  return {
    status: result.status,
    lines: result.stderr
      .trimEnd()
      .split("\n")
      .filter((line) => line.startsWith("error:")),
  };
}

describe.skipIf(process.platform === "win32")("qemu-test.sh", () => {
  test.each([
    [{ SMP: "0" }, /"0" is no number of harts/],
    [{ SMP: "65" }, /"65" is no number of harts/],
    [{ SMP: "1", REQUIRE_SMP: "1" }, /SMP is required/],
    [{ REQUIRE_SMP: "1" }, /SMP is required/],
    [{ SMP: "2", REQUIRE_SMP: "yes" }, /REQUIRE_SMP=yes is neither 0 nor 1/],
    [{ SMP: "2", RUN_UNTIL_MARKER: "2" }, /RUN_UNTIL_MARKER=2 is neither 0 nor 1/],
    [{ SMP: "2", RUN_TIMEOUT: "soon" }, /such as 90s/],
  ])("qemu-test.sh: %o: exit code 2 and one line", (variables, message) => {
    const { status, lines } = run(variables);
    expect(status).toBe(2);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(message);
  });
});
