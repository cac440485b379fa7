import { assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { createImage, type Image } from "../../src/image/image.ts";
import { LiveView } from "../../src/view/live_view.ts";
import { findBrowser, Page } from "./browser.ts";

function gray(value: number): Image {
  const image = createImage(200, 100);
  image.data.fill(value);
  return image;
}

Deno.test("LiveView serves one page, to this machine and to itself only", async () => {
  await using view = new LiveView();
  assertEquals(new URL(view.url).hostname, "127.0.0.1");
  const page = await fetch(view.url);
  const text = await page.text();
  assertStringIncludes(page.headers.get("content-security-policy")!, "default-src 'none'");
  assertEquals(/(src|href)\s*=\s*["']?https?:/i.test(text), false);
  const status = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(view.url + path, { headers });
    await response.body?.cancel();
    return response.status;
  };
  assertEquals(await status("other"), 404);
  assertEquals(await status("stream"), 403);
  // A page elsewhere opens a stream: its browser tells where it is from.
  assertEquals(await status("stream", { origin: "http://example.org" }), 403);
});

Deno.test("LiveView shows nothing to nobody at no cost", async () => {
  await using view = new LiveView();
  const box = { x: 1, y: 1, w: 5, h: 5 };
  await view.show({ frame: gray(9), index: 0, box, score: 1, framesPerSecond: 1 });
  assertEquals(view.viewers, 0);
});

const browser = await findBrowser();

Deno.test({
  name: "LiveView gets a box drawn with the mouse in a browser, and shows frames in it",
  ignore: browser === undefined,
  async fn() {
    await using view = new LiveView();
    const choice = view.choose(gray(90));
    await using page = await Page.open(browser!, view.url);
    await page.wait("choosing && picture && picture.width === 200");
    const [left, top, width] = await page.value<number[]>(
      "(({ left, top, width }) => [left, top, width])(canvas.getBoundingClientRect())",
    );
    const scale = width / 200;
    await page.drag([left + 20 * scale, top + 30 * scale], [left + 80 * scale, top + 70 * scale]);
    await page.wait("!start.hidden");
    await page.value("start.click()");
    const box = await choice;
    const places = [[box.x, 20], [box.y, 30], [box.w, 60], [box.h, 40]];
    for (const [found, wanted] of places) assertAlmostEquals(found, wanted, 1);

    const frame = { box: { x: 50, y: 20, w: 60, h: 50 }, score: 0.75, framesPerSecond: 30 };
    for (let index = 1; index <= 3; index++) {
      await view.show({ ...frame, frame: gray(200), index });
      await page.wait(`told.index === ${index} || true`);
    }
    await page.wait("figures.textContent.includes('score 0.750')");
    // The upper side of the box is green, the middle as the frame.
    await page.wait("context.getImageData(80, 20, 1, 1).data[1] > 180");
    assertEquals(await page.value("context.getImageData(80, 20, 1, 1).data[0] < 120"), true);
    assertAlmostEquals(
      await page.value<number>("context.getImageData(80, 45, 1, 1).data[0]"),
      200,
      3,
    );
    view.end(3);
    await page.wait("state.textContent === 'The end, after 3 frames'");
  },
  sanitizeResources: false,
});
