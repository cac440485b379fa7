/** A track as the annotation file tells it, or a video without one. */
export interface AnnotatedTrack {
  readonly video: string;
  readonly track?: string;
  /** By the text of their frames. */
  readonly boxes?: readonly { readonly frame: string; readonly numbers: readonly number[] }[];
}

/**
 * The text of an annotation file, piece by piece: `{video: {track: {frame: [x1, y1, x2, y2]}}}`,
 * indented by 4, in ASCII (training_dataset/<set>/gen_json.py, `json.dump(…, indent=4,
 * sort_keys=True)`).
 *
 * @param tracks By video and track, both in the order of their code points.
 */
export function* annotationPieces(tracks: Iterable<AnnotatedTrack>): Generator<string> {
  let current: string | undefined;
  let members = 0; // of the current video
  for (const { video, track, boxes = [] } of tracks) {
    if (video !== current) {
      if (current !== undefined) yield members > 0 ? "\n    },\n" : "},\n";
      yield `${current === undefined ? "{\n" : ""}    ${quote(video)}: {`;
      [current, members] = [video, 0];
    }
    if (track === undefined) continue;
    yield `${members++ > 0 ? "," : ""}\n        ${quote(track)}: ${boxesText(boxes)}`;
  }
  if (current === undefined) yield "{}";
  else yield members > 0 ? "\n    }\n}" : "}\n}";
}

function boxesText(boxes: NonNullable<AnnotatedTrack["boxes"]>): string {
  if (boxes.length === 0) return "{}";
  const members = boxes.map(({ frame, numbers }) => {
    const lines = numbers.map((number) => `${" ".repeat(16)}${number}`);
    return `${" ".repeat(12)}"${frame}": [\n${lines.join(",\n")}\n${" ".repeat(12)}]`;
  });
  return `{\n${members.join(",\n")}\n        }`;
}

/** A JSON string in ASCII, as Python's json module writes it. */
function quote(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (unit) => unit === "\x7f" ? unit : `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
