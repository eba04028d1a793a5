// Test count: what vitest's JSON results say, counted so that nothing that did not run looks like a success.

/**
 * @param {object} results vitest's JSON report
 * @returns {{ passed: number, failed: number, skipped: string[] }} skipped tests by name, with their file
 */
export function countTests(results) {
  let passed = 0;
  let failed = 0;
  const skipped = [];
  for (const file of results.testResults ?? []) {
    const tests = file.assertionResults ?? [];
    // A file that broke before its first test has no test to count, yet it is a failure.
    if (file.status === "failed" && !tests.some((test) => test.status === "failed")) failed += 1;
    for (const test of tests) {
      if (test.status === "passed") passed += 1;
      else if (test.status === "failed") failed += 1;
      else skipped.push(`${test.fullName} (${file.name})`);
    }
  }
  return { passed, failed, skipped };
}
