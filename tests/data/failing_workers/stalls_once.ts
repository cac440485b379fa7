import "../../../src/data/loader_worker.ts";
import { beforeReading, isFirst } from "./fail_reading.ts";

const stalls = isFirst("stalls");
beforeReading((count) => {
  while (stalls && count === 9); // the template of the fifth sample
});
