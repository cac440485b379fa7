import { dirname } from "@std/path";
import { z } from "zod";
import { defineForm } from "../form.ts";

/**
 * A raw set in its published layout (`input/`) with the annotations and crops that come of it
 * (`expected/`). The list of crop files is what such a folder is recognised by.
 */
export const genJsonForm = defineForm({
  section: "gen_json",
  content: z.array(z.string().regex(/\.[xz]\.jpg$/)),
  path: /(^|\/)expected\/crop_files\.json$/,
  *compare({ path, folder }) {
    const set = dirname(dirname(path));
    const files = folder.files.filter((file) => file.startsWith(`${set}/`));
    folder.use(...files);
    yield { name: `${set} (${files.length} files)`, reason: "there is no reader of this set yet" };
  },
});
