import { testBreaks } from "./trials.test-support.ts";

testBreaks("resched");
