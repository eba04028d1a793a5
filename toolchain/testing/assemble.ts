// Assemble: a module in the text format as its binary (tests only).
import binaryen from "binaryen";

export function assemble(text: string, optimized = false): Uint8Array {
  const module = binaryen.parseText(text);
  try {
    const {
      Atomics,
      BulkMemory,
      BulkMemoryOpt,
      Multivalue,
      MutableGlobals,
      NontrappingFPToInt,
      ReferenceTypes,
      SignExt,
    } = binaryen.Features;
    const data = BulkMemory | BulkMemoryOpt | ReferenceTypes;
    module.setFeatures(Atomics | data | Multivalue | MutableGlobals | NontrappingFPToInt | SignExt);
    if (module.validate() === 0) throw new Error("the test's module is not valid");
    if (optimized) module.optimize();
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}
