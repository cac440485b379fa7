import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { Ltwh } from "../../src/geometry/boxes.ts";
import type { Image } from "../../src/image/image.ts";
import type { Tracker } from "../../src/tracking/tracker.ts";
import { serveTrax, TRAX_VERSIONS, type TraxOptions } from "../../src/trax/mod.ts";
import { TraxClient } from "../support/trax_client.ts";

/** Moves a pixel to the right each frame, and says how bright the first pixel is. */
class Walker implements Tracker {
  static alive = 0;
  box: Ltwh = { x: 0, y: 0, w: 1, h: 1 };

  init(_: Image, box: Ltwh): void {
    Walker.alive++;
    this.box = box;
  }

  track({ data }: Image) {
    this.box = { ...this.box, x: this.box.x + 1 };
    return { box: this.box, score: data[0] / 256 };
  }

  [Symbol.dispose](): void {
    Walker.alive--;
  }
}

function start(options: Partial<TraxOptions> = {}) {
  const there = new TransformStream<Uint8Array>(), back = new TransformStream<Uint8Array>();
  const session = serveTrax({
    input: there.readable,
    output: back.writable,
    open: () => Promise.resolve(() => new Walker()),
    name: 'walker "1"',
    ...options,
  });
  session.catch(() => {}).finally(() => back.writable.close().catch(() => {}));
  return { session, client: new TraxClient({ input: there.writable, output: back.readable }) };
}

const gray = (value: number) => `image:1;1;gray8;${Uint8Array.of(value).toBase64()}`;

Deno.test("serveTrax() introduces itself before anything is loaded", async () => {
  let calls = 0;
  const { client, session } = start({
    open: () => (calls++, new Promise<never>((_, reject) => setTimeout(() => reject("late"), 50))),
  });
  const hello = await client.receive();
  assertEquals(hello, {
    type: "hello",
    args: [],
    properties: {
      "trax.version": "4",
      "trax.name": 'walker "1"',
      "trax.region": "rectangle;polygon;",
      "trax.image": "path;memory;buffer;",
      "trax.channels": "color;",
      "trax.multiobject": "1",
    },
  });
  await client.send("quit");
  assertEquals(await session, "quit");
  assertEquals(calls, 1);
});

for (const version of TRAX_VERSIONS) {
  Deno.test(`serveTrax() tracks one target by version ${version}`, async () => {
    const { client, session } = start({ version });
    assertEquals((await client.receive())?.properties["trax.version"], String(version));
    const initialize = async (region: string) => {
      if (version < 4) return await client.send("initialize", [gray(1), region], { any: "thing" });
      await client.send("initialize");
      await client.send("initialize", [region]);
      await client.send("frame", [gray(1)]);
    };
    await initialize("10,20,30,40");
    assertEquals(await client.state(), [10, 20, 30, 40]);
    await client.send("frame", [gray(128)]);
    assertEquals(await client.receive(), {
      type: "state",
      args: ["11.0000,20.0000,30.0000,40.0000"],
      properties: { confidence: "0.5" },
    });
    // Once more, as after a failure, with a polygon: it comes back as it was.
    await initialize("5,6,11,6,11,13,5,13");
    assertEquals(await client.state(), [5, 6, 11, 6, 11, 13, 5, 13]);
    await client.send("frame", [gray(0)]);
    assertEquals(await client.state(), [6, 6, 7, 8]);
    assertEquals(Walker.alive, 1);
    await client.send("quit");
    assertEquals(await session, "quit");
    assertEquals(Walker.alive, 0);
    assertEquals(client.noise, []);
  });
}

Deno.test("serveTrax() tracks several targets, also ones that come later", async () => {
  const { client, session } = start();
  await client.receive();
  for (const region of ["0,0,5,5", "50,0,5,5"]) await client.send("initialize", [region]);
  await client.send("frame", [gray(1)]);
  assertEquals([await client.state(), await client.state()], [[0, 0, 5, 5], [50, 0, 5, 5]]);
  await client.send("initialize", ["90,0,5,5"]);
  await client.send("frame", [gray(1)]);
  assertEquals(
    [await client.state(), await client.state(), await client.state()],
    [[1, 0, 5, 5], [51, 0, 5, 5], [90, 0, 5, 5]],
  );
  await client.close();
  assertEquals(await session, "gone");
  assertEquals(Walker.alive, 0);
});

Deno.test("serveTrax() ends quietly when the client goes away", async () => {
  const { client, session } = start();
  await client.receive();
  await client.send("initialize", [gray(1), "0,0,5,5"]);
  await client.state();
  await client.close();
  assertEquals(await session, "gone");
  // One that stops reading, too.
  const there = new TransformStream<Uint8Array>();
  const closed = new WritableStream<Uint8Array>({
    write() {
      throw new Deno.errors.BrokenPipe("gone");
    },
  });
  const open = () => Promise.resolve(() => new Walker());
  assertEquals(await serveTrax({ input: there.readable, output: closed, open, name: "x" }), "gone");
});

const WRONG: readonly (readonly [text: string, reason: RegExp])[] = [
  ["@@TRAX:frame file:///1.jpg\n", /there is no target yet/],
  ["@@TRAX:frame\n", /found 0 arguments, expected 1 picture/],
  [`@@TRAX:initialize 1,2,3,4\n@@TRAX:frame file:///none.jpg\n`, /there is no such file/],
  ["@@TRAX:initialize 1,2,3\n", /Cannot use region/],
  ["@@TRAX:initialize a b c\n", /found 3 arguments/],
  ["@@TRAX:hello\n", /only the server sends it/],
  ["@@TRAX:state 1,2,3,4\n", /only the server sends it/],
  ['@@TRAX:frame "open\n', /a quote is not closed/],
  ["@@TRAX:initialize 1,2,3,4\n".repeat(65), /more than 64 targets/],
];

Deno.test("serveTrax() says quit with the reason to a client that breaks the protocol", async () => {
  for (const [text, reason] of WRONG) {
    const { client, session } = start();
    await client.receive();
    await client.sendText(text);
    const last = await client.receive();
    assertEquals(last?.type, "quit");
    assertMatch(last!.properties["trax.reason"], reason);
    await assertRejects(() => session, Error);
    assertEquals(await client.receive(), undefined);
  }
});

Deno.test("serveTrax() tells the client what the tracker failed of", async () => {
  const { client, session } = start({ open: () => Promise.reject(new Error("no weights\nthere")) });
  await client.receive();
  await client.send("initialize", [gray(1), "0,0,5,5"]);
  assertEquals((await client.receive())?.properties["trax.reason"], "no weights\nthere");
  await assertRejects(() => session, Error, "no weights");
  assert(Walker.alive === 0);
});
