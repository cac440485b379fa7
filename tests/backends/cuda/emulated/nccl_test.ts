import { assertEquals, assertStringIncludes } from "@std/assert";
import { emulatedLibrary } from "../../../../src/backends/cuda/emulated.ts";
import { missing } from "./device.ts";

const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
const CONFIG = new URL("../../../../deno.json", import.meta.url).pathname;

/** A rank: makes or reads the id, then averages 300 000 floats and broadcasts three. */
const RANK = `
import { Driver } from ${url("../../../../src/backends/cuda/bindings/driver.ts")};
import { Nccl } from ${url("../../../../src/backends/cuda/bindings/nccl.ts")};
import { librariesFrom } from ${url("../../../../src/backends/cuda/libraries.ts")};
const [library, file, rankText, countText] = Deno.env.get("RANK_ARGS").split(" ");
const rank = Number(rankText), libraries = librariesFrom(library);
const driver = new Driver(libraries.driver), nccl = new Nccl(libraries.nccl);
driver.init();
driver.retainContext(driver.device(0));
if (rank === 0) {
  Deno.writeFileSync(file + ".part", nccl.uniqueId());
  Deno.renameSync(file + ".part", file);
}
let id;
while (!id) {
  try { id = Deno.readFileSync(file); } catch { await new Promise((go) => setTimeout(go, 5)); }
}
const communicator = nccl.join(id, { rank, worldSize: 2 });
const stream = driver.createStream().address;
const count = Number(countText) + (countText.endsWith("0") ? 0 : rank);
const values = Float32Array.from({ length: count }, (_, i) => i % 11 + 100 * rank);
const memory = driver.allocate(values.byteLength);
driver.copyToDevice(memory, values, stream);
const whole = { send: memory, receive: memory, count, type: "float32", stream };
nccl.allReduce(communicator.address, whole, "average");
driver.copyToHost(values, memory, stream);
driver.synchronizeStream(stream);
const right = values.every((value, i) => value === i % 11 + 50);
const three = driver.allocate(12);
driver.copyToDevice(three, Float32Array.of(rank, rank + 1, rank + 2), stream);
nccl.broadcast(communicator.address, { ...whole, send: three, receive: three, count: 3 }, 1);
const found = new Float32Array(3);
driver.copyToHost(found, three, stream);
driver.synchronizeStream(stream);
communicator[Symbol.dispose]();
console.log(right, found.join(" "));
`;

async function runRanks(count: number): Promise<string[]> {
  const library = await emulatedLibrary(), file = await Deno.makeTempFile();
  await Deno.remove(file);
  try {
    return await Promise.all([0, 1].map(async (rank) => {
      const command = new Deno.Command(Deno.execPath(), {
        args: ["eval", "--config", CONFIG, RANK],
        env: { RANK_ARGS: [library, file, rank, count].join(" "), NO_COLOR: "1" },
        stderr: "piped",
      });
      const { stdout, stderr } = await command.output();
      return new TextDecoder().decode(stdout) || new TextDecoder().decode(stderr);
    }));
  } finally {
    await Deno.remove(file);
  }
}

const options = { ignore: missing !== undefined };

Deno.test("Two processes average and broadcast over several pieces", options, async () => {
  assertEquals(await runRanks(300000), ["true 1 2 3\n", "true 1 2 3\n"]);
});

Deno.test("Ranks that reduce different sizes are told so", options, async () => {
  for (const text of await runRanks(31)) assertStringIncludes(text, "different collectives");
});
