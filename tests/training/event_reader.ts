import { assertEquals } from "@std/assert";
import { PbfReader } from "pbf";
import { crc32c } from "../../src/training/crc32c.ts";

/** One step of an event file. */
export interface Event {
  wallTime: number;
  step: number;
  version: string;
  values: { tag: string; value: number }[];
}

/** Reads an event file after TensorBoard's published format; checks every length and checksum. */
export function readEvents(path: string): Event[] {
  const bytes = Deno.readFileSync(path);
  const view = new DataView(bytes.buffer);
  const unmask = (masked: number) => {
    const rotated = (masked - 0xa282ead8) >>> 0;
    return (rotated >>> 17 | rotated << 15) >>> 0;
  };
  const events: Event[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = Number(view.getBigUint64(at, true));
    const data = bytes.subarray(at + 12, at + 12 + length);
    assertEquals(unmask(view.getUint32(at + 8, true)), crc32c(bytes.subarray(at, at + 8)));
    assertEquals(unmask(view.getUint32(at + 12 + length, true)), crc32c(data));
    events.push(readEvent(data));
    at += 16 + length;
  }
  return events;
}

function readEvent(data: Uint8Array): Event {
  const event: Event = { wallTime: 0, step: 0, version: "", values: [] };
  return new PbfReader(data).readFields((tag, event: Event, reader) => {
    if (tag === 1) event.wallTime = reader.readDouble();
    if (tag === 2) event.step = reader.readVarint(true);
    if (tag === 3) event.version = reader.readString();
    if (tag === 5) {
      reader.readMessage((tag, values: Event["values"], reader) => {
        if (tag !== 1) return;
        const value = reader.readMessage((tag, value: { tag: string; value: number }, reader) => {
          if (tag === 1) value.tag = reader.readString();
          if (tag === 2) value.value = reader.readFloat();
        }, { tag: "", value: 0 });
        values.push(value);
      }, event.values);
    }
  }, event);
}
