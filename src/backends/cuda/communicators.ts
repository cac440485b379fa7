import type { Collective } from "../../collective.ts";
import type { NativeHandle } from "../../ffi/handle.ts";
import { LibraryNotFoundError } from "../../ffi/library.ts";
import { Nccl, UNIQUE_ID_BYTES } from "./bindings/nccl.ts";
import type { CudaLibraries } from "./libraries.ts";

/** How tensors of the device are added up over the ranks: between the cards, or through the host. */
export type Route =
  | { readonly kind: "nccl"; readonly nccl: Nccl; readonly communicator: NativeHandle }
  | {
    readonly kind: "host";
    /** Why not between the cards, with the remedy. */
    readonly reason: string;
  };

/** Bytes of a card's UUID. */
const UUID_BYTES = 16;

/** Joins a card with those of other ranks, once a collective. */
export class Communicators implements Disposable {
  readonly #nccl: Nccl;
  readonly #uuid: Uint8Array;
  readonly #routes = new Map<Collective, Route>();

  /** Opens nothing. @param card `uuid`: which card the context is of. */
  constructor(libraries: CudaLibraries, card: { readonly uuid: Uint8Array }) {
    this.#nccl = new Nccl(libraries.nccl);
    this.#uuid = card.uuid;
  }

  /**
   * The route between the ranks; all of them call this, and all get the same kind. The first call waits for
   * all ranks.
   *
   * @throws {NativeError} If NCCL is there on all ranks but cannot join them.
   */
  route(collective: Collective): Route {
    const known = this.#routes.get(collective);
    if (known) return known;
    const found = this.#join(collective);
    this.#routes.set(collective, found);
    return found;
  }

  #join(collective: Collective): Route {
    const { rank, size: worldSize } = collective;
    const missing = this.#whyMissing();
    const cards = this.#gather(collective, missing === undefined);
    // A rank alone in a communicator would wait for ever, so that all must decide alike.
    const reason = missing ?? obstacle(cards);
    if (reason !== undefined) return { kind: "host", reason };
    const id = rank === 0 ? this.#nccl.uniqueId() : new Uint8Array(UNIQUE_ID_BYTES);
    collective.broadcast(id);
    const communicator = this.#nccl.join(id, { rank, worldSize });
    return { kind: "nccl", nccl: this.#nccl, communicator };
  }

  #whyMissing(): string | undefined {
    try {
      this.#nccl.version();
      return undefined;
    } catch (error) {
      if (!(error instanceof LibraryNotFoundError)) throw error;
      return error.message.split("; tried:")[0];
    }
  }

  /** Tells all ranks of this one's card. */
  #gather(collective: Collective, ready: boolean): readonly RankCard[] {
    const each = 1 + UUID_BYTES;
    const told = new Float32Array(collective.size * each);
    told.set([Number(ready), ...this.#uuid], collective.rank * each);
    collective.sum(told);
    return Array.from({ length: collective.size }, (_, rank) => ({
      ready: told[rank * each] === 1,
      uuid: told.subarray(rank * each + 1, (rank + 1) * each).join(),
    }));
  }

  [Symbol.dispose](): void {
    for (const route of this.#routes.values()) {
      if (route.kind === "nccl") route.communicator[Symbol.dispose]();
    }
    this.#routes.clear();
  }
}

/** What the ranks know of each other. */
interface RankCard {
  /** Whether NCCL can be opened there. */
  readonly ready: boolean;
  readonly uuid: string;
}

/** Why NCCL cannot join these ranks, if it cannot. */
function obstacle(cards: readonly RankCard[]): string | undefined {
  const without = cards.findIndex(({ ready }) => !ready);
  if (without >= 0) return `Rank ${without} cannot open NCCL`;
  const owners = new Map<string, number>();
  for (const [rank, { uuid }] of cards.entries()) {
    const other = owners.get(uuid);
    if (other !== undefined) {
      return `Ranks ${other} and ${rank} share a GPU, which NCCL refuses, ` +
        "start as many processes as there are GPUs";
    }
    owners.set(uuid, rank);
  }
}
