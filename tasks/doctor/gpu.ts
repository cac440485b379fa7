import type { CudaReport, LibraryReport } from "../../mod.ts";
import type { Finding } from "./findings.ts";

/** What is said of cards and NVIDIA's libraries. */
export function describeGpu({ kernelDriver, cards, problem, libraries }: CudaReport): Finding[] {
  const found = cards.map(({ name, computeCapability, memoryBytes }) => ({
    name: "card",
    detail: `${name}, compute capability ${computeCapability}, ` +
      `${(memoryBytes / 2 ** 30).toFixed(1)} GiB`,
  }));
  const none = { name: "card", detail: problem ?? "none is known to CUDA" };
  const module = kernelDriver
    ? { name: "kernel driver", detail: kernelDriver }
    : { name: "kernel driver", detail: "NVIDIA's is not loaded" };
  return [...found.length > 0 ? found : [none], module, ...libraries.map(describeLibrary)];
}

function describeLibrary(
  { name, version, location, problem, searched, remedy }: LibraryReport,
): Finding {
  const place = location ? ` (${location})` : "";
  return { name, detail: `${problem ?? version}${place}`, searched, remedy };
}

/** Whether there is an NVIDIA card, or software for one. */
export function knowsNvidia({ kernelDriver, libraries }: CudaReport): boolean {
  return kernelDriver !== undefined || libraries.some(({ location }) => location !== undefined);
}

/** Whether a card is there that lacks some of its software. */
export function needsLibraries({ kernelDriver, cards, libraries }: CudaReport): boolean {
  const missing = libraries.some(({ name, problem }) => problem && name !== "NCCL");
  return (kernelDriver !== undefined || cards.length > 0) && missing;
}
