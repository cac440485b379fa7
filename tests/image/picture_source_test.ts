import { crc32, deflateSync } from "node:zlib";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { isAvailable } from "../../src/ffi/library.ts";
import { encodeJpeg, encodePng } from "../../src/image/encode.ts";
import { createImage, type Image } from "../../src/image/image.ts";
import { type Look, renderLook } from "../../src/image/look.ts";
import { nativeImageLibrary } from "../../src/image/native_images.ts";
import { PictureSource } from "../../src/image/picture_source.ts";
import { decodeImage, readImage } from "../../src/image/decode.ts";
import { turboJpeg } from "../../src/image/turbojpeg.ts";
import { Rng } from "../../src/random.ts";
import { difference, goldenPath } from "./golden.ts";

const library = await nativeImageLibrary().catch(() => undefined);
const ignore = library === undefined || !isAvailable(turboJpeg);

/** Both ways of making training images, as far as they are here. */
const SOURCES = [["TypeScript", undefined], ["native code", library]] as const;

/** Shapes with noise: each block differs from its neighbours, so that a wrong one shows. */
function picture(width: number, height: number, rng: Rng): Image {
  const image = createImage(width, height);
  for (let i = 0; i < image.data.length; i++) {
    const x = Math.floor(i / 3) % width, y = Math.floor(i / (3 * width));
    const wave = 90 * Math.sin(x / (5 + i % 3)) * Math.cos(y / 9) + 128;
    image.data[i] = Math.max(0, Math.min(255, wave + 60 * (rng.uniform() - 0.5)));
  }
  return image;
}

/** JPEG with a chroma layout of turbojpeg.h: 4:4:4, 4:2:2, 4:2:0, gray, 4:4:0, 4:1:1. */
function encode(
  { width, height, data }: Image,
  layout: number,
  pixelFormat = 1, // B, G, R
): Uint8Array<ArrayBuffer> {
  const tj = turboJpeg(), [quality, noRealloc] = [92, 1024];
  const jpeg = new Uint8Array(data.length * 2 + 10_000);
  const size = BigUint64Array.of(BigInt(jpeg.length));
  const address = BigUint64Array.of(Deno.UnsafePointer.value(Deno.UnsafePointer.of(jpeg)));
  const encoder = tj.tjInitCompress(), pixels = data as Uint8Array<ArrayBuffer>;
  tj.tjCompress2(
    encoder,
    pixels,
    width,
    0,
    height,
    pixelFormat,
    address,
    size,
    layout,
    quality,
    noRealloc,
  );
  tj.tjDestroy(encoder);
  return jpeg.slice(0, Number(size[0]));
}

function randomLook({ width, height }: Image, rng: Rng): Look {
  const w = 3 + rng.uniform() * width, h = 3 + rng.uniform() * height;
  const x1 = rng.uniform() * (width * 1.4) - 0.4 * width;
  const y1 = rng.uniform() * (height * 1.4) - 0.4 * height;
  return {
    window: { x1, y1, x2: x1 + w, y2: y1 + h },
    size: 20 + rng.integer(60),
    gray: rng.uniform() < 0.3,
    color: rng.uniform() < 0.6 ? [rng.normal(), rng.normal(), rng.normal()] : undefined,
    blur: rng.uniform() < 0.4
      ? { size: 5 + 2 * rng.integer(21), verticalShare: rng.uniform() }
      : undefined,
    flip: rng.uniform() < 0.3,
  };
}

async function make(source: PictureSource, bytes: Uint8Array<ArrayBuffer>, look: Look) {
  const opened = await source.open(bytes, "a.jpg");
  opened.decode(look);
  const out = new Float32Array(look.size ** 2 * 3);
  opened.render(look, out);
  return out;
}

for (const [layout, name] of ["4:4:4", "4:2:2", "4:2:0", "gray", "4:4:0", "4:1:1"].entries()) {
  Deno.test({
    name: `PictureSource gives the same numbers natively for any window of a ${name} JPEG`,
    ignore,
    async fn() {
      using native = new PictureSource(library);
      using plain = new PictureSource();
      const rng = new Rng(7, layout);
      for (const [width, height] of [[511, 511], [161, 119], [17, 13], [40, 300], [1, 1]]) {
        const image = picture(width, height, rng);
        const bytes = encode(image, layout);
        for (let i = 0; i < 25; i++) {
          const look = randomLook(image, rng);
          const found = await make(native, bytes, look), wanted = await make(plain, bytes, look);
          const [most] = difference(found, wanted);
          assert(most === 0, `${width} x ${height}, ${JSON.stringify(look)}: ${most}`);
        }
      }
    },
  });
}

Deno.test({
  name: "PictureSource decodes windows of a file with restart markers, and progressive ones",
  ignore,
  async fn() {
    using native = new PictureSource(library);
    const rng = new Rng(3);
    for (const name of ["jpeg.restart.jpg", "jpeg.q60_progressive.jpg", "jpeg.gray.jpg"]) {
      const path = goldenPath(name)!, image = await readImage(path);
      for (let i = 0; i < 20; i++) {
        const look = randomLook(image, rng);
        const found = await make(native, Deno.readFileSync(path), look);
        assertEquals(difference(found, renderLook(image, look).data)[0], 0, name);
      }
    }
  },
});

const LOOK: Look = {
  window: { x1: 10, y1: 10, x2: 40, y2: 40 },
  size: 31,
  gray: false,
  flip: false,
};

for (const [name, file] of SOURCES) {
  const skip = name === "native code" && ignore;

  Deno.test({
    name: `PictureSource refuses files that are damaged, and names them, in ${name}`,
    ignore: skip,
    async fn() {
      using source = new PictureSource(file);
      const whole = await encodeJpeg(picture(64, 64, new Rng(1)));
      const scan = whole.findIndex((byte, i) => byte === 0xff && whole[i + 1] === 0xda) + 20;
      const holed = whole.slice();
      holed.fill(0xff, scan, scan + 200); // no code of the usual tables has so many ones
      const damaged: [Uint8Array<ArrayBuffer>, string][] = [
        [new Uint8Array(0), "the file is empty"],
        [whole.slice(0, whole.length / 2), "ends before its picture does"],
        [new TextEncoder().encode("no picture"), "it starts with [6e 6f 20 70]"],
        [Uint8Array.of(0xff, 0xd8, 0xff, 0xd9), "Cannot decode"],
        [holed, "Cannot decode"],
      ];
      for (const [bytes, reason] of damaged) {
        const open = () => make(source, bytes, LOOK);
        const { message } = await assertRejects(open, SyntaxError, 'Cannot decode "a.jpg"');
        assert(message.includes(reason), message);
      }
      await make(source, whole, LOOK); // a damaged file leaves nothing behind
    },
  });

  Deno.test({
    name: `PictureSource turns rotated pictures upright and reads PNG, in ${name}`,
    ignore: skip,
    async fn() {
      using source = new PictureSource(file);
      const image = picture(64, 48, new Rng(2));
      const jpeg = await encodeJpeg(image);
      const upright = await source.open(jpeg, "a.jpg");
      assertEquals([upright.width, upright.height], [64, 48]);
      const turned = await source.open(withOrientation(jpeg, 6), "a.jpg");
      assertEquals([turned.width, turned.height], [48, 64]);
      const png = await make(source, await encodePng(image), LOOK);
      assertEquals(difference(png, renderLook(image, LOOK).data)[0], 0);
    },
  });

  Deno.test({
    name: `PictureSource refuses a window without area and a result of another size, in ${name}`,
    ignore: skip,
    async fn() {
      using source = new PictureSource(file);
      const jpeg = await encodeJpeg(picture(64, 48, new Rng(2)));
      const empty = { ...LOOK, window: { x1: 4, y1: 4, x2: 4, y2: 9 } };
      await assertRejects(() => make(source, jpeg, empty), Error, "expected a positive size");
      const opened = await source.open(jpeg, "a.jpg");
      opened.decode(LOOK);
      assertThrows(() => opened.render(LOOK, new Float32Array(10)), RangeError);
    },
  });
}

/** A gray PNG of 16 bits whose upper bytes are given. */
function png16({ width, height, data }: Image): Uint8Array<ArrayBuffer> {
  const rows = new Uint8Array(height * (1 + 2 * width)).fill(0x5a); // lower bytes are dropped
  for (let y = 0; y < height; y++) {
    rows[y * (1 + 2 * width)] = 0; // no filter
    for (let x = 0; x < width; x++) {
      rows[y * (1 + 2 * width) + 1 + 2 * x] = data[3 * (y * width + x)];
    }
  }
  const chunk = (name: string, body: Uint8Array) => {
    const bytes = new Uint8Array(12 + body.length), view = new DataView(bytes.buffer);
    view.setUint32(0, body.length);
    bytes.set(new TextEncoder().encode(name), 4);
    bytes.set(body, 8);
    view.setUint32(8 + body.length, crc32(bytes.subarray(4, 8 + body.length)));
    return [...bytes];
  };
  const header = new Uint8Array(13), view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([16, 0], 8); // bits, gray
  const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
  const parts = [["IHDR", header], ["IDAT", deflateSync(rows)], [
    "IEND",
    new Uint8Array(0),
  ]] as const;
  return Uint8Array.from([...signature, ...parts.flatMap(([name, body]) => chunk(name, body))]);
}

for (const [name, file] of SOURCES) {
  Deno.test({
    name: `PictureSource reads four inks and 16 bits, in ${name}`,
    ignore: ignore && name === "native code" || !isAvailable(turboJpeg),
    async fn() {
      using source = new PictureSource(file);
      const image = picture(64, 48, new Rng(4));
      const cmyk = encode({ width: 48, height: 48, data: image.data.slice() }, 0, 11);
      const wanted = await decodeImage(cmyk);
      const found = await make(source, cmyk, LOOK);
      assertEquals(difference(found, renderLook(wanted, LOOK).data)[0], 0);
      const gray = { ...image, data: image.data.map((_, i) => image.data[i - i % 3]) };
      const deep = await make(source, png16(gray), LOOK);
      assertEquals(difference(deep, renderLook(gray, LOOK).data)[0], 0);
    },
  });
}

/** Puts an EXIF block behind the first marker. */
function withOrientation(
  jpeg: Uint8Array<ArrayBuffer>,
  orientation: number,
): Uint8Array<ArrayBuffer> {
  const tiff = [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation];
  const body = [0x45, 0x78, 0x69, 0x66, 0, 0, ...tiff, 0, 0, 0, 0, 0, 0];
  const block = [0xff, 0xe1, 0, body.length + 2, ...body];
  return Uint8Array.from([...jpeg.subarray(0, 2), ...block, ...jpeg.subarray(2)]);
}
