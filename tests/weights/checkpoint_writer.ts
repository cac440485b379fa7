/** Writes checkpoints one after the other until it is killed, and says when each is done. */
import { hostTensor } from "../../src/weights/host_tensor.ts";
import { writeCheckpoint } from "../../src/weights/checkpoint_file.ts";

const [folder] = Deno.args;
for (let epoch = 1;; epoch++) {
  const weight = hostTensor("float32", [1 << 20], new Float32Array(1 << 20).fill(epoch));
  await writeCheckpoint(`${folder}/checkpoint_e${epoch}.safetensors`, {
    tensors: new Map([["weight", weight]]),
    state: { epoch },
  });
  console.log(epoch);
}
