import { z } from "zod";
import { addToAverage, emptyAverage, progressAt } from "../../training/meters.ts";
import { formatRecord } from "../../training/log_file.ts";
import { formatAverage, formatProgress } from "../../training/report_lines.ts";
import { type Check, checkEqual } from "../check.ts";
import { attempt, defineForm, type Finding, real } from "../form.ts";
import { checkMessages, checkScalars, comparableLines, logScenario } from "./log_scenario.ts";

const meterCase = z.object({
  window: real(),
  rows: z.array(z.object({ value: real(), str_loss: z.string(), str_t: z.string() })),
});
const progressCase = z.object({ i: real(), n: real(), i_time: real(), line: z.string() });
const recordFormat = z.object({ line_prefix: z.string() });

/** Log lines, TensorBoard scalars, averages. */
const logContent = z.object({
  scenarios: z.array(logScenario).default([]),
  print_speed: z.array(progressCase).default([]),
  average_meter: z.array(meterCase).default([]),
  format: recordFormat.optional(),
}).refine(({ scenarios, print_speed, average_meter }) =>
  scenarios.length + print_speed.length + average_meter.length > 0
);

/** What a training prints and writes. */
export const logForm = defineForm({
  section: "log",
  content: logContent,
  async *compare({ path, content }) {
    for (const scenario of content.scenarios) {
      const { name, START_EPOCH } = scenario;
      if (START_EPOCH > 0) {
        yield { name: `${path}: ${name}`, reason: "the published trainer resumes at a wrong rate" };
        continue;
      }
      yield* attempt(`${name}: lines`, () => checkMessages(`${name}: lines`, scenario));
      yield* attempt(`${name}: scalars`, () => checkScalars(`${name}: scalars`, scenario));
    }
    if (content.print_speed.length > 0) yield checkProgress(content.print_speed);
    for (const meter of content.average_meter) yield checkMeter(meter);
    if (content.format) yield checkRecord(content.format.line_prefix);
  },
});

function checkProgress(cases: readonly z.infer<typeof progressCase>[]): Check {
  const lines = cases.map(({ i, n, i_time }) =>
    formatProgress(progressAt({ done: i, total: n, secondsPerStep: i_time }))
  );
  return checkEqual("print_speed", lines, cases.map(({ line }) => line));
}

function checkMeter({ window, rows }: z.infer<typeof meterCase>): Check {
  let loss = emptyAverage(window), time = emptyAverage(window);
  const found = rows.flatMap(({ value }) => {
    loss = addToAverage(loss, value);
    time = addToAverage(time, value * 2);
    return [formatAverage("loss", loss), formatAverage("t", time)];
  });
  const expected = rows.flatMap(({ str_loss, str_t }) => [str_loss, str_t]);
  return checkEqual(`average_meter, window ${window}`, found, expected);
}

/** Compares a record of a log file with Python's format of it. */
function checkRecord(format: string): Check {
  const time = new Date(2024, 0, 2, 3, 4, 5, 6);
  const expected = format.replace("%(asctime)s", "2024-01-02 03:04:05,006")
    .replace("{rank}", "3").replace("%(filename)s", "train.py")
    .replace(/%\(lineno\)(\d*)d/, (_, width) => "42".padStart(Number(width)))
    .replace("%(message)s", "epoch: 2");
  const found = formatRecord("epoch: 2", time, { rank: 3, source: "train.py", line: 42 });
  return checkEqual("line_prefix", [found], [expected]);
}

/** The same lines as plain text; the numbers behind them are in a JSON file beside it. */
export const sampleLinesForm = defineForm({
  section: "log",
  content: z.string().regex(/^#+ scenario /m),
  path: /\.txt$/,
  async *compare({ path, content, folder }) {
    const scenarios = new Map<string, z.infer<typeof logScenario>>();
    for (const file of folder.files.filter((file) => isBeside(file, path))) {
      const parsed = logContent.safeParse(await folder.json(file));
      for (const scenario of parsed.data?.scenarios ?? []) scenarios.set(scenario.name, scenario);
    }
    const [, ...blocks] = content.split(/^#+ scenario /m);
    for (const block of blocks) {
      const [name] = block.split("\n", 1);
      const scenario = scenarios.get(name);
      if (scenario) {
        yield* attempt(`${name}: text`, () => checkText(`${name}: text`, block, scenario));
      } else yield { name: `${path}: ${name}`, reason: "the numbers behind the lines are missing" };
    }
  },
});

function isBeside(file: string, path: string): boolean {
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  return file.startsWith(folder) && !file.slice(folder.length).includes("/") &&
    file.endsWith(".json");
}

/** The lines of the steps must stand in the text in their order. */
function checkText(name: string, text: string, scenario: z.infer<typeof logScenario>): Finding {
  const messages = scenario.lines.map(({ message }) => message);
  const { ours, theirs } = comparableLines({ ...scenario, lines: textMessages(text, messages) });
  return checkEqual(name, ours, theirs);
}

/** Those messages that stand in a text, in order. */
function textMessages(text: string, messages: readonly string[]) {
  let at = 0;
  return messages.flatMap((message) => {
    const found = text.indexOf(message, at);
    if (found < 0) return [];
    at = found + message.length;
    return [{ message }];
  });
}
