import { testFaults } from "./faults/test-faults.ts";

testFaults("GraphQL");
