import "../../../src/data/loader_worker.ts";
import { beforeReading, die } from "./fail_reading.ts";

beforeReading(die);
