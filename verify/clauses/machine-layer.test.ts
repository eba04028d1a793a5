import { testCases } from "../rig/cases.test-support.ts";
import { machineLayerChecks } from "./machine-layer.ts";

testCases(machineLayerChecks);
