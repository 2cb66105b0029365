import { testFaults } from "./faults/test-faults.ts";

testFaults("token endpoint");
