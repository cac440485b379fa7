import { createHash } from "node:crypto";
import { hasArea } from "./annotations.ts";
import { CROP_SETTINGS } from "./cropper.ts";
import { CropStore, type CropStoreData } from "./crop_store.ts";
import type { Corner } from "../geometry/boxes.ts";
import { targetInCrop } from "../geometry/context.ts";
import { decodeImage } from "../image/decode.ts";

/** A box and its crop. */
export interface VerifyItem {
  readonly name: string;
  /** In pixels of the original frame. */
  readonly box: Corner;
  /** Recorded SHA-256 of the crop, hexadecimal. */
  readonly hash?: string;
}

/** Some boxes. Plain data. */
export interface VerifyJob {
  readonly store: CropStoreData;
  readonly items: readonly VerifyItem[];
}

/** What is wrong with a crop. */
export interface VerifyProblem {
  readonly name: string;
  readonly reason: string;
}

export interface VerifyJobResult {
  readonly boxes: number;
  readonly hashed: number;
  readonly problems: readonly VerifyProblem[];
}

/** Looks at crops. */
export class CropChecker implements Disposable {
  #store?: CropStore;

  async run({ store, items }: VerifyJob): Promise<VerifyJobResult> {
    this.#store ??= new CropStore(store);
    const problems: VerifyProblem[] = [];
    for (const item of items) {
      const reason = await this.#problemOf(item);
      if (reason !== undefined) problems.push({ name: item.name, reason });
    }
    const hashed = items.filter(({ hash }) => hash !== undefined).length;
    return { boxes: items.length, hashed, problems };
  }

  async #problemOf({ name, box, hash }: VerifyItem): Promise<string | undefined> {
    const side = CROP_SETTINGS.searchSize;
    try {
      const bytes = this.#store!.read(name);
      if (hash !== undefined && createHash("sha256").update(bytes).digest("hex") !== hash) {
        return "its content is not what was written";
      }
      const { width, height, warning } = await decodeImage(bytes);
      if (warning !== undefined) return warning;
      if (width !== side || height !== side) return `it has ${width} x ${height} pixels`;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return "it is not there";
      return error instanceof Error ? error.message : String(error);
    }
    const { x1, y1, x2, y2 } = box;
    if (!hasArea(box)) return `the box ${x1}, ${y1}, ${x2}, ${y2} has no area`;
    const inCrop = targetInCrop({ w: side, h: side }, { w: x2 - x1, h: y2 - y1 });
    const isInside = inCrop.x1 >= 0 && inCrop.y1 >= 0 && inCrop.x2 <= side && inCrop.y2 <= side;
    return isInside ? undefined : "the box reaches out of the crop";
  }

  [Symbol.dispose](): void {
    this.#store?.[Symbol.dispose]();
  }
}
