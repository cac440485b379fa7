import { z } from "zod";
import { buildLrSpace, type LrOptions, type WarmupOptions } from "../../training/schedule.ts";
import { type Check, check, type Deviation, worstOf } from "../check.ts";
import { differenceOf } from "../compare.ts";
import { attempt, defineForm, real, reals } from "../form.ts";

const schedule = z.object({
  TYPE: z.string(),
  EPOCH: real().optional(),
  KWARGS: z.record(z.string(), z.unknown()).default({}),
});
const lrCase = z.object({
  name: z.string(),
  epochs: real(),
  lr: schedule,
  warmup: schedule.nullable().optional(),
  group_initial_lr: reals().default([]),
  error: z.string().optional(),
  lr_spaces: reals().default([]),
  lr_spaces_dtype: z.string().optional(),
  start_lr: real().optional(),
  cur_lr: reals().default([]),
  group_lr: z.array(reals()).default([]),
});
type LrCase = z.infer<typeof lrCase>;

/** Learning rates of every epoch. */
export const lrForm = defineForm({
  section: "lr",
  content: z.object({ cases: z.array(lrCase).min(1) }),
  async *compare({ content: { cases } }) {
    for (const one of cases) {
      yield* attempt(one.name, () => one.error === undefined ? checkRates(one) : checkRefusal(one));
    }
  },
});

function checkRates(golden: LrCase): Check {
  const { lr, warmup, lr_spaces_dtype } = golden;
  const found = build(golden);
  // These two are computed in float32, also where a warm-up has widened the list to float64.
  const types = [lr.TYPE, warmup?.TYPE];
  const single = lr_spaces_dtype === "float32" || types.includes("cos") ||
    types.includes("multi-step");
  const tolerance = single ? 1e-6 : 1e-12;
  const deviation = (item: string, value: number, wanted: number): Deviation => {
    const { most } = differenceOf([value], [wanted]);
    return { item, error: most === 0 ? 0 : most / Math.abs(wanted), tolerance };
  };
  const { start_lr, group_lr, group_initial_lr } = golden;
  const length = Math.abs(found.spaces.length - golden.lr_spaces.length);
  return worstOf(golden.name, [
    ...(start_lr === undefined ? [] : [deviation("start_lr", found.startLr, start_lr)]),
    ...golden.lr_spaces.map((rate, i) => deviation(`lr_spaces ${i}`, found.at(i), rate)),
    ...golden.cur_lr.map((rate, i) => deviation(`cur_lr ${i}`, found.at(i), rate)),
    ...group_lr.flatMap((rates, epoch) =>
      rates.map((rate, g) =>
        deviation(`group ${g} epoch ${epoch}`, found.groupLr(epoch, group_initial_lr[g]), rate)
      )
    ),
    { item: "number of epochs", error: length, tolerance: 0 },
  ]);
}

function checkRefusal(golden: LrCase): Check {
  try {
    build(golden);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return check(golden.name, { error: 0, tolerance: 0, detail });
  }
  const detail = `is accepted, expected a refusal (${golden.error})`;
  return check(golden.name, { error: Infinity, tolerance: 0, detail });
}

function build({ epochs, lr, warmup }: LrCase) {
  const list = warmup ? toOptions(warmup) as WarmupOptions : undefined;
  return buildLrSpace({ epochs, lr: toOptions(lr), warmup: list });
}

/** The reference's keys are ours but for two, which have an underscore. */
function toOptions({ TYPE, EPOCH, KWARGS }: z.infer<typeof schedule>): LrOptions {
  const { start_lr: startLr, end_lr: endLr, ...rest } = KWARGS;
  return { type: TYPE, epoch: EPOCH, startLr, endLr, ...rest } as unknown as LrOptions;
}
