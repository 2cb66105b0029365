import { totalmem } from "node:os";
import { getHeapStatistics } from "node:v8";
import type { MemoryUse } from "../limits/load-monitor.ts";

/** How much memory the process uses, and has: where a container has less than the machine, as much as the container. */
export function memoryUse(): MemoryUse {
  const { used_heap_size: heap, heap_size_limit: heapLimit } = getHeapStatistics();
  const total = totalmem();
  // 0, or more than there is: nothing is set.
  const constrained = process.constrainedMemory();
  const available = constrained > 0 ? Math.min(constrained, total) : total;
  return { resident: process.memoryUsage.rss(), available, heap, heapLimit };
}
