import { readSystemFile } from "../../src/ffi/system_file.ts";

/** The most memory that this process has had in use, in bytes; what it has now where that is not told. */
export function peakMemory(): number {
  const status = readSystemFile("/proc/self/status") ?? "";
  const kibibytes = /VmHWM:\s+(\d+)/.exec(status)?.[1];
  return kibibytes === undefined ? Deno.memoryUsage().rss : Number(kibibytes) * 1024;
}
