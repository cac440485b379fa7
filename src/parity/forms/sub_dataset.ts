import { z } from "zod";
import type { AnnotationTable, IndexRange } from "../../data/annotation_table.ts";
import { parseAnnotations } from "../../data/annotations.ts";
import { cropPath, searchWindow, SubDataset } from "../../data/sub_dataset.ts";
import { Rng } from "../../random.ts";
import { check, checkEqual } from "../check.ts";
import { attempt, defineForm, real, reals } from "../form.ts";

/** `{video: {track: {frame: box}}}`. */
const annotations = z.record(z.string(), z.record(z.string(), z.record(z.string(), reals())));
type Annotations = z.infer<typeof annotations>;

const windowCase = z.object({
  frames: reals(),
  frame_range: real(),
  template_index: real(),
  search_candidates: reals(),
});

/** What a training set makes of its annotations. */
export const subDatasetForm = defineForm({
  section: "data",
  content: z.object({
    input: annotations,
    filter_zero: annotations,
    frames_after_load: z.record(z.string(), z.record(z.string(), reals())).optional(),
    videos: z.array(z.string()).optional(),
    num_use: real().optional(),
    pick_length: real().optional(),
    image_path_example: z.string().optional(),
    pair_windows: z.array(windowCase).optional(),
  }),
  async *compare({ path, content }) {
    const { input, filter_zero, frames_after_load, videos, image_path_example } = content;
    const table = tableOf(input, path);
    yield checkEqual("filter_zero", rows(table), expectedRows(filter_zero));
    if (frames_after_load) {
      const found = Object.fromEntries(table.videos.map(([video, tracks]) => [
        video,
        Object.fromEntries(tracks.map(([track, frames]) => [track, frames])),
      ]));
      yield checkEqual("frames_after_load", lines(found), lines(frames_after_load));
    }
    if (videos) yield checkEqual("videos", table.videos.map(([video]) => video), videos);
    if (content.num_use !== undefined) {
      yield* attempt("pick", () => checkPicks(table.annotations, content.num_use!, content));
    }
    if (image_path_example) yield checkPath(image_path_example);
    if (content.pair_windows) yield checkWindows(content.pair_windows);
  },
});

interface LoadedTable {
  readonly annotations: AnnotationTable;
  readonly videos: readonly (readonly [
    video: string,
    tracks: readonly (readonly [track: string, frames: readonly number[]])[],
  ])[];
}

function tableOf(input: Annotations, name: string): LoadedTable {
  const annotations = parseAnnotations(bytesOf(JSON.stringify(input)), name).table;
  const videos = Array.from({ length: annotations.videoCount }, (_, video) => {
    const tracks = indexes(annotations.tracksOf(video)).map((track) => {
      const frames = indexes(annotations.boxesOf(track)).map((box) => annotations.frame(box));
      return [annotations.trackName(track), frames] as const;
    });
    return [annotations.videoName(video), tracks] as const;
  });
  return { annotations, videos };
}

function bytesOf(text: string): { readSync(into: Uint8Array): number | null } {
  let rest = new TextEncoder().encode(text);
  return {
    readSync(into) {
      const part = rest.subarray(0, into.length);
      into.set(part);
      rest = rest.subarray(part.length);
      return part.length || null;
    },
  };
}

function indexes({ start, end }: IndexRange): number[] {
  return Array.from({ length: end - start }, (_, i) => start + i);
}

/** A line a box, sorted: what is in the table, not in which order. */
function rows({ annotations }: LoadedTable): string[] {
  const found: string[] = [];
  for (let video = 0; video < annotations.videoCount; video++) {
    for (const track of indexes(annotations.tracksOf(video))) {
      for (const index of indexes(annotations.boxesOf(track))) {
        const { x1, y1, x2, y2 } = annotations.box(index);
        const names = [annotations.videoName(video), annotations.trackName(track)];
        found.push([...names, annotations.frame(index), x2 - x1, y2 - y1].join(" "));
      }
    }
  }
  return found.sort();
}

function expectedRows(filtered: Annotations): string[] {
  return Object.entries(filtered).flatMap(([video, tracks]) =>
    Object.entries(tracks).flatMap(([track, frames]) =>
      Object.entries(frames).map(([frame, box]) => {
        const [w, h] = box.length === 4 ? [box[2] - box[0], box[3] - box[1]] : box;
        return [video, track, Number(frame), w, h].join(" ");
      })
    )
  ).sort();
}

function lines(frames: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>) {
  return Object.entries(frames).flatMap(([video, tracks]) =>
    Object.entries(tracks).map(([track, numbers]) => `${video} ${track} ${numbers}`)
  ).sort();
}

function checkPicks(
  table: AnnotationTable,
  numUse: number,
  { pick_length = numUse }: { readonly pick_length?: number },
) {
  const options = { name: "", root: "", anno: "", frameRange: 1, numUse };
  const set = new SubDataset({ options, columns: table.columns });
  const picks = Array.from({ length: set.useCount }, (_, i) => set.pickAt(i, new Rng(1)));
  // Each shuffle holds every video once; only the last is cut.
  const whole = Math.floor(picks.length / set.videoCount) * set.videoCount;
  const counts = new Map<number, number>();
  for (const video of picks.slice(0, whole)) counts.set(video, (counts.get(video) ?? 0) + 1);
  const even = [...counts.values()].every((count) => count === whole / set.videoCount);
  const error = Math.abs(picks.length - pick_length) + Number(!even);
  return check("pick", { error, tolerance: 0, detail: `${picks.length} picks` });
}

function checkPath(example: string) {
  const [, video, frame, track] = /^(.*)\/(\d+)\.([^.]+)\.x\.jpg$/.exec(example) ?? [];
  const found = cropPath({ video, track, frame: Number(frame) });
  return checkEqual("image_path", [found], [example]);
}

function checkWindows(cases: readonly z.infer<typeof windowCase>[]) {
  const candidates = ({ frames, frame_range, template_index }: z.infer<typeof windowCase>) => {
    const track = { start: 0, end: frames.length };
    const { start, end } = searchWindow(track, template_index, frame_range);
    return `${frames.slice(start, end)}`;
  };
  return checkEqual(
    "pair_windows",
    cases.map(candidates),
    cases.map(({ search_candidates }) => `${search_candidates}`),
  );
}
