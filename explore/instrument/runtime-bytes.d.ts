// Runtime bytes: explore/runtime/, compiled. The module itself is made by toolchain/explorer-runtime.ts and is not in git.

export const RUNTIME_BASE64: string;
