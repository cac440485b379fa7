/**
 * Scalars in the files that TensorBoard reads.
 *
 * An event file is a sequence of records, `length (uint64), crc(length), data, crc(data)`, little
 * endian with masked CRC-32C; each `data` is an `Event` message (`tensorboard/compat/proto/event.proto`
 * and `summary.proto`).
 *
 * @module
 */
import { join } from "@std/path";
import { PbfWriter } from "pbf";
import { AppendFile } from "./append_file.ts";
import { crc32c } from "./crc32c.ts";
import { quantitiesOf } from "./meters.ts";
import type { ParameterNorm, StepReport } from "./report.ts";

/** One point of one curve. */
export interface Scalar {
  /** Name of the curve; slashes group curves. */
  readonly tag: string;
  readonly value: number;
  /** Step of the whole training. */
  readonly step: number;
}

/**
 * The scalars of a step under the names of the published trainer (`tools/train.py`), and in its
 * order: `lr/group<n>` when an epoch after the first starts, times, losses; norms and speed where
 * the report has them.
 */
export function scalarsOf(report: StepReport): readonly Scalar[] {
  const { globalStep, groupLrs, dataTime, parameterNorms, gradNorm, pairsPerSecond } = report;
  const newEpoch = report.step === 0 && globalStep > 0;
  const values: (readonly [tag: string, value: number])[] = [
    ...newEpoch ? groupLrs.map((lr, i) => [`lr/group${i + 1}`, lr] as const) : [],
    ["time/data", dataTime],
    ...parameterNorms ? normValues(parameterNorms) : [],
    ...Object.entries(quantitiesOf(report)),
  ];
  if (!parameterNorms && gradNorm !== undefined) values.push(["grad/tot", gradNorm]);
  if (pairsPerSecond !== undefined) values.push(["time/pairs_per_second", pairsPerSecond]);
  return values.map(([tag, value]) => ({ tag, value, step: globalStep }));
}

function normValues(norms: readonly ParameterNorm[]): [tag: string, value: number][] {
  const values = norms.flatMap(({ name, weight, gradient }): [string, number][] => {
    const path = name.replaceAll(".", "/");
    return [
      [`grad_all/${path}`, gradient],
      [`weight_all/${path}`, weight],
      [`w-g/${path}`, weight / (1e-20 + gradient)],
    ];
  });
  const isFeature = ({ name }: ParameterNorm) => name.startsWith("backbone.");
  const together = (some: readonly ParameterNorm[]) =>
    Math.hypot(...some.map(({ gradient }) => gradient));
  // Parity: the published trainer looks for "feature" in the name, which no ResNet parameter has,
  // and counts the backbone to the head.
  return [
    ...values,
    ["grad/tot", together(norms)],
    ["grad/feature", together(norms.filter(isFeature))],
    ["grad/head", together(norms.filter((norm) => !isFeature(norm)))],
  ];
}

/**
 * An event file in a log folder. Each process that trains, a resumed one too, writes its own;
 * TensorBoard joins them.
 *
 * @example
 * ```ts
 * import { EventFile } from "siamban";
 *
 * using events = new EventFile(await Deno.makeTempDir());
 * events.write([{ tag: "total_loss", value: 1.25, step: 0 }]);
 * ```
 */
export class EventFile implements Disposable {
  readonly #file: AppendFile;
  readonly #now: () => Date;

  /**
   * @param folder Made where it does not exist.
   * @param hostname Part of the file name.
   * @throws {Error} If the folder or file cannot be written: names path, reason and remedy.
   */
  constructor(
    folder: string,
    { hostname = Deno.hostname(), now = () => new Date() }: {
      hostname?: string;
      now?: () => Date;
    } = {},
  ) {
    this.#now = now;
    const seconds = String(Math.floor(now().getTime() / 1000)).padStart(10, "0");
    // TensorBoard takes any file with "tfevents" in its name and reads them in the order of names.
    const name = `events.out.tfevents.${seconds}.${hostname}.${Deno.pid}.0`;
    this.#file = new AppendFile(join(folder, name));
    this.#file.append(frame(this.#event((event) => event.writeStringField(3, "brain.Event:2"))));
  }

  get path(): string {
    return this.#file.path;
  }

  /**
   * Appends scalars, one event a step in the order given; they are in the file when this returns.
   *
   * @throws {Error} If they cannot be written; then none of them is in the file.
   */
  write(scalars: readonly Scalar[]): void {
    const records = [...Map.groupBy(scalars, ({ step }) => step)].map(([step, points]) =>
      frame(this.#event((event) => {
        event.writeVarintField(2, step); // Event.step
        event.writeMessage(5, writeSummary, points); // Event.summary
      }))
    );
    this.#file.append(concatenate(records));
  }

  #event(fill: (event: PbfWriter) => void): Uint8Array {
    const event = new PbfWriter();
    event.writeDoubleField(1, this.#now().getTime() / 1000); // Event.wall_time
    fill(event);
    return event.finish();
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}

function writeSummary(points: readonly Scalar[], summary: PbfWriter): void {
  for (const point of points) summary.writeMessage(1, writeValue, point); // Summary.value
}

function writeValue({ tag, value }: Scalar, target: PbfWriter): void {
  target.writeStringField(1, tag); // Summary.Value.tag
  target.writeFloatField(2, value); // Summary.Value.simple_value
}

/** A record with its length and checksums. */
function frame(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(8 + 4 + data.length + 4);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc(record.subarray(0, 8)), true);
  record.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc(data), true);
  return record;
}

/** Masked, because a checksum of bytes that hold their own checksum says little. */
function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return ((crc >>> 15 | crc << 17) + 0xa282ead8) >>> 0;
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}
