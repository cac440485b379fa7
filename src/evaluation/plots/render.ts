import { initWasm, Resvg } from "@resvg/resvg-wasm";
import { init } from "echarts";
import type { Plot } from "./plots.ts";

/** Renders a plot as an SVG document. */
export function renderSvg({ width, height, option }: Plot): string {
  const chart = init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    chart.setOption(option);
    return chart.renderToSVGString();
  } finally {
    // A chart that lives on keeps the program from ending.
    chart.dispose();
  }
}

/** Turns SVG into PNG; text is set in DejaVu Sans, whatever fonts the machine has. */
export class PngRenderer {
  readonly #font: Uint8Array;

  private constructor(font: Uint8Array) {
    this.#font = font;
  }

  /** Loads renderer and font. */
  static async open(): Promise<PngRenderer> {
    wasm ??= readPackageFile("@resvg/resvg-wasm/index_bg.wasm").then((bytes) => initWasm(bytes));
    await wasm;
    // Importing a part of the package is what fetches it.
    await import("dejavu-fonts-ttf/package.json", { with: { type: "json" } });
    return new PngRenderer(await readPackageFile("dejavu-fonts-ttf/ttf/DejaVuSans.ttf"));
  }

  /** @param scale Pixels of the picture for one of the drawing. */
  render(svg: string, { scale = 2 } = {}): Uint8Array {
    const drawing = new Resvg(svg, {
      fitTo: { mode: "zoom", value: scale },
      font: { fontBuffers: [this.#font], defaultFontFamily: "DejaVu Sans" },
    });
    try {
      return drawing.render().asPng();
    } finally {
      drawing.free();
    }
  }
}

/** The library's module is initialised once in a program, and may not be twice. */
let wasm: Promise<void> | undefined;

function readPackageFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return Deno.readFile(new URL(import.meta.resolve(path)));
}
