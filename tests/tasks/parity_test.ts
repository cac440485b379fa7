import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";

const ROOT = new URL("../../", import.meta.url).pathname;

async function parity(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "tasks/parity.ts", "--device", "reference", ...args],
    cwd: ROOT,
  }).output();
  const decoder = new TextDecoder();
  return {
    code,
    lines: decoder.decode(stdout).trimEnd().split("\n"),
    stderr: decoder.decode(stderr),
  };
}

Deno.test("parity prints every check and a line of JSON, and succeeds where all pass", async () => {
  const { code, lines } = await parity("tests/fixtures", "--only", "lr,data", "--json");
  assertEquals(code, 0);
  const figures = JSON.parse(lines.at(-1)!);
  assertEquals([figures.device, figures.failed, figures.failures], ["reference", 0, []]);
  assertEquals(Object.keys(figures.sections).sort(), ["data", "lr"]);
  assertEquals(lines.filter((line) => line.startsWith("ok ")).length, figures.passed);
});

Deno.test("parity ends with 1 where a check fails, and says which", async () => {
  const root = await Deno.makeTempDir();
  try {
    const golden = await Deno.readTextFile(join(ROOT, "tests/fixtures/geometry/boxes.json"));
    const changed = golden.replace(/("iou": 0\.2172560)9/, "$18");
    await Deno.writeTextFile(join(root, "boxes.json"), changed);
    const { code, lines } = await parity(root);
    assertEquals(code, 1);
    assertStringIncludes(lines.find((line) => line.startsWith("FAILED"))!, "IoU");
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("parity refuses what it cannot do, and says what it can", async () => {
  const cases = [
    [[], "one folder is needed"],
    [["tests", "--only", "op"], 'no section is "op", expected some of formula, ops'],
    [["no/such/folder"], "no/such/folder"],
    [["tests/fixtures/config"], "Nothing in tests/fixtures/config can be compared"],
  ] as const;
  for (const [args, message] of cases) {
    const { code, stderr } = await parity(...args);
    assertEquals(code, 1);
    assertStringIncludes(stderr, message);
  }
});
