import { enclosingBox } from "../../../src/evaluation/region.ts";
import { formatMessage, parseMessage, readMessages } from "../../../src/trax/message.ts";
import { readPicture } from "../../../src/trax/picture.ts";
import { parseRegion } from "../../../src/trax/region.ts";
import { TraxError } from "../../../src/trax/trax_error.ts";
import { bytesOfText, demand, type Target } from "../target.ts";

const message: Target = {
  name: "trax-message",
  corpus: () => [
    bytesOfText('@@TRAX:hello "trax.version=3" "trax.image=path;"\nwarming up\n'),
    bytesOfText('@@TRAX:initialize "file:///1.jpg" "1,2,3,4" "k=v \\"w\\""\n@@TRAX:frame a\\\\b\n'),
    bytesOfText("@@TRAX:quit\r\n@@TRAX:STATUS 1,2,3,4\n"),
  ],
  async run(bytes) {
    const half = bytes.length >> 1;
    const stream = ReadableStream.from([bytes.subarray(0, half), bytes.subarray(half)]);
    for await (const { type, args, properties } of readMessages(stream, 1 << 20)) {
      const line = formatMessage(type, args, Object.fromEntries(properties)).slice(0, -1);
      const again = parseMessage(line)!;
      const same = JSON.stringify([...again.properties].sort()) ===
        JSON.stringify([...properties].sort());
      demand(same && JSON.stringify(again.args) === JSON.stringify(args), "the same message again");
    }
  },
  allowedErrors: [TraxError],
  dictionary: ["@@TRAX:", "\\", '"', "=", "\r", "\n@@TRAX:frame ", '"__proto__=1"'],
};

const region: Target = {
  name: "trax-region",
  corpus: () => ["1,2,3,4", "1,2,3,2,3,4,1,4", "mask:1,2,4,4,2,3,4,2"].map(bytesOfText),
  run(bytes) {
    const { x, y, w, h } = enclosingBox(parseRegion(new TextDecoder().decode(bytes)));
    demand([x, y, w, h].every(Number.isFinite) && w > 0 && h > 0, "a finite area");
  },
  allowedErrors: [TraxError],
  dictionary: ["mask:", ",", "1e6", "NaN", "-"],
};

const picture: Target = {
  name: "trax-picture",
  corpus: () =>
    ["image:2;1;rgb;AAAAAAAA", "image:2;2;gray8;AAAAAA==", "data:image/png;AAAA"].map(bytesOfText),
  async run(bytes) {
    const text = new TextDecoder().decode(bytes);
    if (!/^(image|data):/.test(text)) return; // a path: what lies there is other targets' matter
    const { width, height, data } = await readPicture(text);
    demand(data.length === 3 * width * height, "three bytes a pixel");
  },
  allowedErrors: [TraxError],
  dictionary: ["image:", "data:image/jpeg;base64,", ";rgb;", ";gray16;", "/9j/", "=="],
};

export const TRAX_TARGETS = [message, region, picture];
