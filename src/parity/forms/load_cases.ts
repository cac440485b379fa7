import { z } from "zod";
import {
  elementCount,
  findStateDict,
  hostTensor,
  OrderedDict,
  type PythonValue,
  selectTensors,
} from "../../weights/mod.ts";
import { type Check, check, checkEqual } from "../check.ts";
import { attempt, defineForm, reals } from "../form.ts";

const shapes = z.record(z.string(), reals());
const loadCase = z.object({
  tag: z.string(),
  model_keys: z.array(z.string()),
  checkpoint_keys: z.array(z.string()),
  model_shapes: shapes,
  checkpoint_shapes: shapes,
  /** Whether the weights are under the key `state_dict`. */
  wrapped: z.boolean(),
  changed_keys: z.array(z.string()).optional(),
  error: z.string().optional(),
});
type LoadCase = z.infer<typeof loadCase>;

/** Which weights of a checkpoint go into a model. */
export const loadCasesForm = defineForm({
  section: "checkpoints",
  content: z.object({ cases: z.array(loadCase).min(1) }),
  async *compare({ content }) {
    for (const one of content.cases) {
      const name = `load ${one.tag}`;
      yield* attempt(
        name,
        () => one.error === undefined ? checkKeys(name, one) : checkRefusal(name, one),
      );
    }
  },
});

function checkKeys(name: string, golden: LoadCase): Check {
  const { tensors } = select(golden);
  return checkEqual(name, [...tensors.keys()].sort(), [...golden.changed_keys ?? []].sort());
}

function checkRefusal(name: string, golden: LoadCase): Check {
  try {
    select(golden);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return check(name, { error: 0, tolerance: 0, detail });
  }
  const detail = `is loaded, expected a refusal (${golden.error})`;
  return check(name, { error: Infinity, tolerance: 0, detail });
}

function select(
  { model_keys, model_shapes, checkpoint_keys, checkpoint_shapes, wrapped }: LoadCase,
) {
  const weights = new OrderedDict<string, PythonValue>(
    checkpoint_keys.map((key) => {
      const shape = checkpoint_shapes[key];
      return [key, hostTensor("float32", shape, new Float32Array(elementCount(shape)))];
    }),
  );
  const file = wrapped ? new Map([["state_dict", weights]]) : weights;
  const model = new Map(model_keys.map((key) => [key, model_shapes[key]]));
  return selectTensors(findStateDict(file), model);
}
