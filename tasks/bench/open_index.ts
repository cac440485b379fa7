/**
 * Opens an annotation file in a process of its own, `open_index.ts FILE`, and prints one line of JSON:
 * seconds, and bytes of memory before, after and at most.
 */
import { openAnnotations } from "../../src/data/open_annotations.ts";

/** A line of this process's status in /proc, in bytes; Linux only. */
function memory(line: "VmRSS" | "VmHWM"): number {
  const status = Deno.readTextFileSync("/proc/self/status");
  return Number(status.match(new RegExp(`${line}:\\s+(\\d+)`))?.[1] ?? 0) * 1024;
}

const before = memory("VmRSS");
const start = performance.now();
const { table, origin } = openAnnotations(Deno.args[0]);
const seconds = (performance.now() - start) / 1000;
const { boxCount: boxes, videoCount: videos } = table;
const [after, peak] = [memory("VmRSS"), memory("VmHWM")];
console.log(JSON.stringify({ origin, seconds, boxes, videos, before, after, peak }));
