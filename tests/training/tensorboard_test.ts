import { assertAlmostEquals, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { basename } from "@std/path";
import { EventFile, type Scalar, scalarsOf } from "../../src/training/tensorboard.ts";
import { readEvents } from "./event_reader.ts";
import { scenario } from "./golden_log.ts";

const now = () => new Date(1_700_000_000_250);

for (const name of ["two_phases", "exact_division", "nan_loss"]) {
  Deno.test(`scalarsOf() gives what the reference writes in scenario ${name}`, () => {
    const { reports, scalars } = scenario(name);
    const written = reports.flatMap(scalarsOf).map(({ tag, value, step }) => [tag, value, step]);
    assertEquals(written, scalars.map((scalar) => [...scalar]));
  });
}

Deno.test("scalarsOf() adds norms and speed where the report has them", () => {
  const report = scenario("two_phases").reports[0];
  const values = (more: Partial<typeof report>) =>
    Object.fromEntries(scalarsOf({ ...report, ...more }).map(({ tag, value }) => [tag, value]));
  const total = values({ gradNorm: 3, pairsPerSecond: 12.5 });
  assertEquals([total["grad/tot"], total["time/pairs_per_second"]], [3, 12.5]);
  const norms = values({
    gradNorm: 13,
    parameterNorms: [
      { name: "backbone.layer4.2.conv3.weight", weight: 8, gradient: 4 },
      { name: "neck.downsample2.downsample.0.weight", weight: 9, gradient: 3 },
      { name: "head.box2.cls.head.3.bias", weight: 1, gradient: 0 },
    ],
  });
  assertEquals(norms["grad_all/backbone/layer4/2/conv3/weight"], 4);
  assertEquals(norms["weight_all/neck/downsample2/downsample/0/weight"], 9);
  assertEquals(norms["w-g/backbone/layer4/2/conv3/weight"], 2);
  assertAlmostEquals(norms["w-g/head/box2/cls/head/3/bias"], 1e20, 1e6);
  assertEquals([norms["grad/tot"], norms["grad/feature"], norms["grad/head"]], [5, 4, 3]);
});

Deno.test("EventFile writes records that an independent reader finds whole", () => {
  using events = new EventFile(`${Deno.makeTempDirSync()}/logs`, { hostname: "host", now });
  assertMatch(basename(events.path), /^events\.out\.tfevents\.1700000000\.host\.\d+\.0$/);
  const long = "t".repeat(300); // its length needs two bytes
  const scalars: Scalar[] = [
    { tag: "cls_loss", value: 0.1, step: 0 },
    { tag: long, value: NaN, step: 0 },
    { tag: "loc_loss", value: -Infinity, step: 2 ** 33 },
  ];
  events.write(scalars);
  events.write([]);
  events.write([{ tag: "größe", value: 3e38, step: 7 }]);
  const [header, first, second, third, ...rest] = readEvents(events.path);
  const wallTime = 1_700_000_000.25;
  assertEquals(rest, []);
  assertEquals(header, { wallTime, step: 0, version: "brain.Event:2", values: [] });
  assertEquals(first, {
    ...{ wallTime, step: 0, version: "" },
    values: [{ tag: "cls_loss", value: Math.fround(0.1) }, { tag: long, value: NaN }],
  });
  assertEquals([second.step, second.values[0].value], [2 ** 33, -Infinity]);
  assertEquals(third.values, [{ tag: "größe", value: Math.fround(3e38) }]);
});

Deno.test("EventFile starts with the bytes of every TensorFlow event file", () => {
  using events = new EventFile(Deno.makeTempDirSync(), { hostname: "host", now });
  const bytes = Deno.readFileSync(events.path);
  // The first message is always 24 bytes long, so this length and checksum are a known signature.
  assertEquals(bytes.subarray(0, 12).toHex(), "1800000000000000a37f4b22");
  assertEquals(bytes.length, 8 + 4 + 24 + 4);
});

Deno.test("EventFile says where it cannot be made", () => {
  const file = Deno.makeTempFileSync();
  assertThrows(() => new EventFile(file), Error, "a file stands where a folder should");
});
