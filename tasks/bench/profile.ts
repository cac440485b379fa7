import type { BackendHandle, OpTotals, Peak } from "../../mod.ts";

/** A kind of native work in one step. */
export interface ProfileRow extends OpTotals {
  /** Share of the step's time. */
  readonly share: number;
  /** Operations a second, by the op's definition; 0 where it has none to speak of. */
  readonly flopsPerSecond: number;
  /** Of the measured peak of vector registers; a fast algorithm may go beyond 1. */
  readonly peakShare: number;
  /** Bytes a second, of the arrays named in the calls. */
  readonly bytesPerSecond: number;
  /** Of the measured bandwidth; beyond 1 where arrays stay in caches. */
  readonly bandwidthShare: number;
}

/** Where the time of one step goes. */
export interface StepProfile {
  readonly seconds: number;
  /** All that is not native code: JavaScript, tfjs's own kernels, the way to native code and back. */
  readonly scriptSeconds: number;
  /** A step that is recorded and replayed, as a training takes it from its fourth one on. */
  readonly recorded?: Pick<StepProfile, "seconds" | "scriptSeconds">;
  readonly calls: number;
  readonly allocatedBytes: number;
  readonly freshBytes: number;
  readonly peak: Peak;
  readonly rows: readonly ProfileRow[];
}

/**
 * Profiles a step: the fastest of some, because what else runs on the machine only ever adds time.
 *
 * @returns Nothing on a backend without native calls.
 */
export function profileStep(
  backend: BackendHandle,
  step: () => void,
  { rounds }: { readonly rounds: number },
): StepProfile | undefined {
  const peak = backend.measurePeak();
  if (peak === undefined) return undefined;
  step();
  const profiles = Array.from({ length: rounds }, () => profileOnce(backend, step, peak));
  return profiles.reduce((best, profile) => profile.seconds < best.seconds ? profile : best);
}

function profileOnce(backend: BackendHandle, step: () => void, peak: Peak): StepProfile {
  const profile = backend.startProfile()!;
  const start = performance.now();
  step();
  const seconds = (performance.now() - start) / 1000;
  profile.stop();
  return {
    seconds,
    scriptSeconds: seconds - profile.seconds,
    calls: profile.calls,
    allocatedBytes: profile.allocatedBytes,
    freshBytes: profile.freshBytes,
    peak,
    rows: profile.ops.map((op) => {
      const flopsPerSecond = op.flops / op.seconds, bytesPerSecond = op.bytes / op.seconds;
      return {
        ...op,
        share: op.seconds / seconds,
        flopsPerSecond,
        peakShare: flopsPerSecond / peak.flops,
        bytesPerSecond,
        bandwidthShare: bytesPerSecond / peak.bytes,
      };
    }),
  };
}

/** The profile as a Markdown table, with the rest of the step below. */
export function formatProfile(name: string, profile: StepProfile): string {
  const { seconds, scriptSeconds, recorded, peak } = profile;
  const head = ["work", "calls", "ms", "of step", "GFLOP/s", "of peak", "GB/s", "of bandwidth"];
  const rows = profile.rows.map((row) => [
    row.op,
    `${row.calls}`,
    (row.seconds * 1000).toFixed(2),
    percent(row.share),
    row.flops > 0 ? (row.flopsPerSecond / 1e9).toFixed(0) : "",
    row.flops > 0 ? percent(row.peakShare) : "",
    (row.bytesPerSecond / 1e9).toFixed(1),
    percent(row.bandwidthShare),
  ]);
  const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  return [
    `${name}: ${milliseconds(seconds)}; peak ${(peak.flops / 1e9).toFixed(0)} GFLOP/s, ` +
    `${(peak.bytes / 1e9).toFixed(1)} GB/s`,
    "",
    ...[head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`),
    "",
    `${formatScript({ seconds, scriptSeconds })}, ${profile.calls} native calls, ` +
    `${mib(profile.allocatedBytes)} allocated, ${mib(profile.freshBytes)} of it fresh` +
    (recorded
      ? `; recorded, as in training: ${milliseconds(recorded.seconds)}, ${formatScript(recorded)}`
      : ""),
  ].join("\n");
}

function formatScript({ seconds, scriptSeconds }: NonNullable<StepProfile["recorded"]>): string {
  return `JavaScript ${milliseconds(scriptSeconds)} (${percent(scriptSeconds / seconds)})`;
}

function milliseconds(seconds: number): string {
  return `${(seconds * 1000).toFixed(1)} ms`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
