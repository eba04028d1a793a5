// Assemble: a module in the text format as its binary (tests only).
import binaryen from "binaryen";

/** names: the names of functions and globals are kept, in the module's name section. */
export function assemble(text: string, optimized = false, names = false): Uint8Array {
  const debugInfo = binaryen.getDebugInfo();
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
    binaryen.setDebugInfo(names);
    return module.emitBinary();
  } finally {
    binaryen.setDebugInfo(debugInfo);
    module.dispose();
  }
}
