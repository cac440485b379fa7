import { drawLook } from "./augment.ts";
import { type BANDataset, type Pair, type SamplePosition, variationStream } from "./ban_dataset.ts";
import { CropStore } from "./crop_store.ts";
import type { Corner } from "../geometry/boxes.ts";
import { targetInCrop } from "../geometry/context.ts";
import { type PointGrid, pointGrid } from "../geometry/points.ts";
import { type OpenedPicture, PictureSource } from "../image/picture_source.ts";
import { createPointLabels, type PointLabels, pointTarget } from "./labels.ts";
import type { Rng } from "../random.ts";
import type { Crop } from "./sub_dataset.ts";

/** A training sample; B, G, R, not clipped. */
export interface Sample extends PointLabels {
  /** `[127, 127, 3]`. */
  readonly template: Float32Array;
  /** `[255, 255, 3]`. */
  readonly search: Float32Array;
  /** The target `x1, y1, x2, y2` in the search image, of which it may reach out. */
  readonly box: Float32Array;
  /** Where it comes from. */
  readonly pair: Pair;
}

/** Where {@linkcode SampleWriter.write} puts the numbers of a sample; bytes only where no colour is taken away. */
export type SampleArrays = Omit<Sample, "pair" | "template" | "search"> & {
  readonly template: Uint8Array | Float32Array;
  readonly search: Uint8Array | Float32Array;
};

/** A picture that could not be read, so that another pair took its place. */
export interface SkippedPicture {
  /** The picture. */
  readonly path: string;
  /** Names the sample, the picture and the reason. */
  readonly message: string;
}

/** A sample as it was written. */
export interface WrittenSample {
  readonly pair: Pair;
  /** Pictures passed over; as many as substitutes were drawn. */
  readonly skipped: readonly SkippedPicture[];
}

/** Milliseconds that a sample took, or the samples of a batch. */
export interface SampleTimes {
  /** Fetching files. */
  readonly read: number;
  readonly decode: number;
  /** Cutting out and varying the pictures. */
  readonly augment: number;
  /** Choosing and labelling points. */
  readonly label: number;
}

/** The parts of {@linkcode SampleTimes}, in their order. */
export const SAMPLE_PARTS = ["read", "decode", "augment", "label"] as const satisfies readonly (
  keyof SampleTimes
)[];

/** A picture of a sample cannot be read. */
export class SampleError extends Error {
  override readonly name = "SampleError";

  /**
   * @param message Names the sample, the picture and the reason.
   * @param path The picture.
   */
  constructor(message: string, readonly path: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/** Substitutes for one sample; more unreadable pictures in a row are no accident. */
const MOST_SUBSTITUTES = 16;

/** Makes samples of a dataset, one after the other; holds files and native memory. */
export class SampleWriter implements Disposable {
  readonly dataset: BANDataset;
  readonly #points: PointGrid;
  readonly #pictures: PictureSource;
  readonly #crops: ReadonlyMap<string, CropStore>;
  #times = { read: 0, decode: 0, augment: 0, label: 0 };
  #clock = 0;

  /** @param library Path of the native image library; without it TypeScript does the same work. */
  constructor(dataset: BANDataset, library?: string) {
    const { scoreSize: size, stride, searchSize } = dataset.options;
    this.dataset = dataset;
    this.#points = pointGrid({ stride, size, center: Math.floor(searchSize / 2) });
    this.#pictures = new PictureSource(library);
    this.#crops = new Map(
      dataset.sets.map(({ options, crops }) => [options.name, new CropStore(crops)]),
    );
  }

  /** What the latest sample took, substitutes included. */
  get times(): SampleTimes {
    return this.#times;
  }

  /**
   * A whole sample.
   *
   * @throws {SampleError} As {@linkcode write}.
   */
  async sampleAt(position: SamplePosition): Promise<Sample> {
    const { exemplarSize, searchSize } = this.dataset.options;
    const arrays = {
      template: new Float32Array(exemplarSize ** 2 * 3),
      search: new Float32Array(searchSize ** 2 * 3),
      ...createPointLabels(this.#points),
      box: new Float32Array(4),
    };
    const { pair } = await this.write(position, arrays);
    return { ...arrays, pair };
  }

  /**
   * Writes a sample where the caller wants it, such as a place in a batch.
   *
   * @throws {SampleError} If a picture cannot be read and the dataset's policy is `fail`, or if no
   * substitute can be read either; names the picture.
   */
  async write(position: SamplePosition, into: SampleArrays): Promise<WrittenSample> {
    this.#times = { read: 0, decode: 0, augment: 0, label: 0 };
    this.#clock = performance.now();
    const skipped: SkippedPicture[] = [];
    for (let attempt = 0;; attempt++) {
      const pair = this.dataset.pairAt(position, attempt);
      try {
        await this.#writePair(pair, { position, rng: variationStream(position, attempt), into });
        return { pair, skipped };
      } catch (error) {
        if (!(error instanceof SampleError)) throw error;
        if (this.dataset.options.unreadable !== "skip") throw error;
        if (attempt === MOST_SUBSTITUTES) throw tooMany(error);
        skipped.push({ path: error.path, message: error.message });
      }
    }
  }

  async #writePair(
    pair: Pair,
    { position, rng, into }: { position: SamplePosition; rng: Rng; into: SampleArrays },
  ): Promise<void> {
    const { options } = this.dataset;
    const { gray, template, search, negative: negativePair } = pair;
    const draw = { gray, draws: rng, position };
    await this.#writeImage(template, into.template, {
      ...draw,
      size: options.exemplarSize,
      settings: options.template,
    });
    const box = await this.#writeImage(search, into.search, {
      ...draw,
      size: options.searchSize,
      settings: options.search,
    });
    into.box.set([box.x1, box.y1, box.x2, box.y2]);
    pointTarget(box, { points: this.#points, rng, negativePair, counts: options.counts }, into);
    this.#lap("label");
  }

  /** @returns The target's box in the image. */
  async #writeImage(
    crop: Crop,
    into: Uint8Array | Float32Array,
    { position, ...options }: Parameters<typeof drawLook>[2] & { position: SamplePosition },
  ): Promise<Corner> {
    try {
      const picture = await this.#open(crop);
      const { look, box } = drawLook(picture, this.#targetIn(picture, crop), options);
      picture.decode(look);
      this.#lap("decode");
      picture.render(look, into);
      this.#lap("augment");
      return box;
    } catch (cause) {
      throw sampleError(cause, { path: crop.path, ...position });
    }
  }

  async #open({ dataset, name, path }: Crop): Promise<OpenedPicture> {
    const bytes = this.#crops.get(dataset)!.read(name);
    this.#lap("read");
    return await this.#pictures.open(bytes, path);
  }

  #targetIn({ width, height }: OpenedPicture, { box }: Crop): Corner {
    const { exemplarSize } = this.dataset.options;
    const target = { w: box.x2 - box.x1, h: box.y2 - box.y1 };
    return targetInCrop({ w: width, h: height }, target, { exemplarSize });
  }

  #lap(part: keyof SampleTimes): void {
    const now = performance.now();
    this.#times[part] += now - this.#clock;
    this.#clock = now;
  }

  [Symbol.dispose](): void {
    this.#pictures[Symbol.dispose]();
    for (const crops of this.#crops.values()) crops[Symbol.dispose]();
  }
}

function sampleError(
  cause: unknown,
  { path, seed, epoch, index }: SamplePosition & { path: string },
): SampleError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new SampleError(
    `Cannot make sample ${index} of epoch ${epoch} (seed ${seed}) from "${path}": ${reason}, ` +
      'run "deno task prep-data" again or pass such pictures over with dataset.unreadable=skip',
    path,
    { cause },
  );
}

function tooMany({ message, path }: SampleError): SampleError {
  const count = MOST_SUBSTITUTES + 1;
  return new SampleError(
    `${message}; this was the last of ${count} pairs in a row that cannot be read`,
    path,
  );
}
