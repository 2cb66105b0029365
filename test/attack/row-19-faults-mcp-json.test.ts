import { testFaults } from "./faults/test-faults.ts";

testFaults("MCP JSON");
