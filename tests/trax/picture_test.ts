import { assertEquals, assertRejects } from "@std/assert";
import { encodePng } from "../../src/image/encode.ts";
import { readPicture } from "../../src/trax/picture.ts";
import { TraxError } from "../../src/trax/trax_error.ts";
import { temporaryFolder } from "../data/demo.ts";

const picture = { width: 2, height: 1, data: Uint8Array.of(1, 2, 3, 4, 5, 6) };
const base64 = (...bytes: number[]) => Uint8Array.from(bytes).toBase64();

Deno.test("readPicture() takes files by path and by address", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/a b=1%.png`;
  const png = await encodePng(picture);
  await Deno.writeFile(path, png);
  const addresses = [path, `file://${path}`, `file:${path}`];
  for (const address of addresses) {
    assertEquals((await readPicture(address)).data, picture.data, address);
  }
  await Deno.rename(path, `${folder.path}/ü 1.png`);
  assertEquals((await readPicture(`file://${folder.path}/%C3%BC%201.png`)).data, picture.data);
  assertEquals((await readPicture(`data:image/png;${base64(...png)}`)).data, picture.data);
  assertEquals((await readPicture(`data:image/png;base64;${base64(...png)}`)).data, picture.data);
  assertEquals((await readPicture(`data:image/png;base64,${base64(...png)}`)).data, picture.data);
});

Deno.test("readPicture() takes raw pixels as B, G, R", async () => {
  const raw = (format: string, ...bytes: number[]) =>
    readPicture(`image:2;1;${format};${base64(...bytes)}`);
  assertEquals(await raw("rgb", 3, 2, 1, 6, 5, 4), picture);
  assertEquals((await raw("gray8", 7, 8)).data, Uint8Array.of(7, 7, 7, 8, 8, 8));
  assertEquals((await raw("gray16", 0, 7, 255, 8)).data, Uint8Array.of(7, 7, 7, 8, 8, 8));
});

Deno.test("readPicture() refuses a small file that says it is a huge picture", async () => {
  const png = await encodePng(picture);
  // Width and height follow the signature, a length and "IHDR".
  new DataView(png.buffer, png.byteOffset).setUint32(16, 60_000);
  new DataView(png.buffer, png.byteOffset).setUint32(20, 60_000);
  await assertRejects(
    () => readPicture(`data:image/png;${base64(...png)}`),
    TraxError,
    "60000 x 60000 pixels",
  );
});

Deno.test("readPicture() refuses anything else", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(`${folder.path}/text.png`, "no picture");
  for (
    const [address, reason] of [
      [`${folder.path}/none.png`, "there is no such file"],
      ["", "there is no such file"],
      [folder.path, "not a picture's file"],
      ["/dev/zero", "not a picture's file"],
      [`${folder.path}/text.png`, "expected JPEG, PNG"],
      ["http://localhost/1.jpg", 'Cannot read pictures from "http:"'],
      ["data:text/html;AAAA", "expected JPEG or PNG"],
      ["data:image/png;!!!!", "not base64"],
      ["image:2;1;rgb;AAAA", "found 3 bytes, expected 6"],
      ["image:0;1;rgb;", "expected WIDTH;HEIGHT"],
      ["image:99999;99999;rgb;AAAA", "expected 29999400003"],
      ["image:2;1;cmyk;AAAA", "expected WIDTH;HEIGHT"],
    ]
  ) await assertRejects(() => readPicture(address), TraxError, reason, address);
});
