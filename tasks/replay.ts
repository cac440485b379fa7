/** Takes a step that went wrong again: `deno task train replay FILE`. */
import { type KernelFigures, type Replay, replayIncident } from "../mod.ts";

/** Kernels shown before the first one whose output is not finite, and after it. */
const SHOWN = { before: 4, after: 4 };

/**
 * Prints what the step gives, and where in it numbers stop to be numbers.
 *
 * @param path A file of the folder incidents beside a log.
 */
export async function replay(path: string, { json }: { readonly json: boolean }): Promise<void> {
  const taken = await replayIncident(path);
  console.log(formatReplay(taken));
  if (json) {
    const { kernels, ...figures } = taken;
    console.log(
      JSON.stringify({ path, ...figures, firstKernel: kernels[taken.first ?? -1] }, text),
    );
  }
}

/** JSON has no NaN and no infinity. */
function text(_: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

function formatReplay({ place, reason, recorded, losses, gradNorm, ...rest }: Replay): string {
  const { applied, kernels, first, pairs } = rest;
  const { epoch, step, rank, ranks } = place;
  const was = Object.entries(recorded).map(([term, loss]) => `${term} ${loss}`).join(", ");
  const is = Object.entries(losses).map(([term, loss]) => `${term} ${loss}`).join(", ");
  return [
    `epoch ${epoch + 1} step ${step + 1}${ranks > 1 ? ` rank ${rank} of ${ranks}` : ""}: ${reason}`,
    `  losses then  ${was}`,
    `  losses now   ${is}; gradient norm ${gradNorm}${applied ? "" : ", nothing is changed"}`,
    ...pairs.map(([template, search], i) => `  pair ${i}  ${template} + ${search}`),
    first === undefined
      ? `  all ${kernels.length} kernels gave finite numbers; the largest magnitudes:`
      : `  the first of ${kernels.length} kernels to give what is no finite number:`,
    ...(first === undefined ? largest(kernels) : around(kernels, first)),
  ].join("\n");
}

function around(kernels: readonly KernelFigures[], first: number): string[] {
  const start = Math.max(0, first - SHOWN.before);
  return kernels.slice(start, first + 1 + SHOWN.after)
    .map((figures, i) => line(figures, start + i === first ? "-->" : "   "));
}

function largest(kernels: readonly KernelFigures[]): string[] {
  const magnitude = ({ min, max }: KernelFigures) => Math.max(Math.abs(min), Math.abs(max));
  return kernels.toSorted((a, b) => magnitude(b) - magnitude(a)).slice(0, 8)
    .map((figures) => line(figures, "   "));
}

function line({ kernel, shape, min, max, mean, notFinite }: KernelFigures, mark: string): string {
  const numbers = [min, max, mean].map((value) => value.toPrecision(4)).join(" ");
  const bad = notFinite > 0 ? `, ${notFinite} not finite` : "";
  return `  ${mark} ${kernel.padEnd(32)} [${shape}]  min, max, mean ${numbers}${bad}`;
}
