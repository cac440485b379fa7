import "../../../src/data/loader_worker.ts";
import { beforeReading, isFirst } from "./fail_reading.ts";

const leaves = isFirst("leaves");
beforeReading((count) => leaves && count === 9 && self.close());
