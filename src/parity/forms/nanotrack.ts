import { z } from "zod";
import { defineForm } from "../form.ts";

/** Tracks of NanoTrack, whose networks are not built here. */
export const nanotrackForm = defineForm({
  section: "tracks",
  content: z.object({
    version: z.number(),
    config: z.object({ TRACK: z.object({ TYPE: z.literal("NanoTracker") }) }),
    boxes_xywh: z.array(z.unknown()),
  }),
  *compare({ path, content: { version }, folder }) {
    folder.use(path.replace(/_[^_/]*\.json$/, "_first_step.safetensors"));
    yield { name: path, reason: `there is no NanoTrack (version ${version}) here yet` };
  },
});
