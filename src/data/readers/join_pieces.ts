import { isFault, type RawItem, type Track } from "../track.ts";

/** Frames that are handed on at once. */
const LONGEST = 256;

/** Joins pieces of one track that follow each other, so that rows need not travel one by one. */
export async function* joinPieces(items: AsyncIterable<RawItem>): AsyncGenerator<RawItem> {
  let piece: { track: Track; frames: Track["frames"][number][] } | undefined;
  for await (const item of items) {
    if (piece && !isFault(item) && isSame(piece.track, item) && piece.frames.length < LONGEST) {
      piece.frames.push(...item.frames);
      continue;
    }
    if (piece) yield { ...piece.track, frames: piece.frames };
    piece = isFault(item) ? undefined : { track: item, frames: [...item.frames] };
    if (isFault(item)) yield item;
  }
  if (piece) yield { ...piece.track, frames: piece.frames };
}

function isSame(a: Track, b: Track): boolean {
  return a.video === b.video && a.id === b.id && a.split === b.split;
}
