import type { Center, Ltwh } from "../geometry/boxes.ts";
import type { Image } from "../image/image.ts";
import type { SiamBAN } from "../models/siamban.ts";
import { type Search, SearchNetwork } from "./search_network.ts";
import type { Response } from "./select.ts";
import {
  cropSearch,
  learnTemplate,
  moveTarget,
  type ResponseGrid,
  responseGrid,
  searchSquare,
  type SiamBANTrackerOptions,
  startCenter,
  type Template,
} from "./steps.ts";
import type { Tracked } from "./tracker.ts";

/** A tracker whose answer may take until others are asked, too. */
export interface GroupedTracker extends Disposable {
  /** As of `Tracker`. */
  init(frame: Image, box: Ltwh): void;
  /** As of `Tracker`, once all trackers of the group wait. */
  track(frame: Image): Promise<Tracked>;
}

/** A tracker that waits for its response. */
interface Waiting {
  readonly search: Search;
  readonly answer: (response: Response) => void;
  readonly fail: (error: unknown) => void;
}

/**
 * Trackers of one network that go through it together: each waits until all others of the group have a
 * frame, too, then all are answered by one pass over a batch. A device with room for a batch gains
 * by it; the answers are those that each would get alone, but for rounding: sums in a batch may be taken
 * in another order.
 */
export class TrackerGroup implements Disposable {
  readonly #model: SiamBAN;
  readonly #network: SearchNetwork;
  readonly #options: SiamBANTrackerOptions;
  readonly #grid: ResponseGrid;
  readonly #waiting: Waiting[] = [];
  #open = 0;

  /** @param model In evaluation mode; the caller keeps and disposes of it. */
  constructor(model: SiamBAN, options: SiamBANTrackerOptions) {
    this.#model = model;
    this.#network = new SearchNetwork(model);
    this.#options = options;
    this.#grid = responseGrid(options);
  }

  /** A tracker of the group. The others wait for it until it is disposed of. */
  open(): GroupedTracker {
    this.#open++;
    let template: Template | undefined, box: Center | undefined, closed = false;
    const forget = () => {
      template?.[Symbol.dispose]();
      template = undefined;
    };
    return {
      init: (frame, first) => {
        const learnt = learnTemplate(this.#model, { frame, box: first, ...this.#options });
        forget();
        template = learnt;
        box = startCenter(first);
      },
      track: async (frame) => {
        if (!template || !box) {
          throw new Error("Cannot track: there is no target yet, call init() first");
        }
        const { features, border } = template, before = box;
        const { scale, side } = searchSquare(before, this.#options);
        const { searchSize } = this.#options;
        const crop = cropSearch(frame, before, { border, searchSize, side });
        const response = await this.#ask({ features, crop });
        const { next, ...tracked } = moveTarget(before, response, {
          options: this.#options,
          grid: this.#grid,
          scale,
          size: frame,
        });
        box = next;
        return tracked;
      },
      [Symbol.dispose]: () => {
        forget();
        if (closed) return;
        closed = true;
        this.#open--;
        this.#answerAll();
      },
    };
  }

  /** Frees what was prepared; trackers of the group dispose of themselves. */
  [Symbol.dispose](): void {
    this.#network[Symbol.dispose]();
  }

  #ask(search: Search): Promise<Response> {
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    this.#waiting.push({ search, answer: resolve, fail: reject });
    this.#answerAll();
    return promise;
  }

  #answerAll(): void {
    if (this.#waiting.length === 0 || this.#waiting.length < this.#open) return;
    const asked = this.#waiting.splice(0);
    try {
      const responses = this.#network.respond(asked.map(({ search }) => search));
      asked.forEach(({ answer }, i) => answer(responses[i]));
    } catch (error) {
      for (const { fail } of asked) fail(error);
    }
  }
}
