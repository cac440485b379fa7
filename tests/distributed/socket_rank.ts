/** A rank that adds up and broadcasts, and prints what it got as JSON; with `leave` rank 1 dies on the way. */
import { broadcastText } from "../../src/collective.ts";
import { joinProcesses } from "../../src/distributed/mod.ts";

const collective = joinProcesses();
const { rank, size, localRank, localSize } = collective;

const small = Float32Array.of(rank, 1, 10 * rank);
collective.sum(small);
if (Deno.args[0] === "leave" && rank === 1) {
  console.error("rank 1 is out of order");
  Deno.exit(3);
}
// Larger than what the sockets' buffers hold, and of a value that single precision cannot.
const large = new Float64Array(300_000).fill(2 ** 30 + 1 / 1024 + rank);
collective.sum(large);
const texts = Array.from(
  { length: size },
  (_, root) => broadcastText(collective, `text of ${rank}`, root),
);
console.log(JSON.stringify({
  ...{ rank, size, localRank, localSize, texts },
  small: [...small],
  large: [...new Set(large)],
}));
collective[Symbol.dispose]();
