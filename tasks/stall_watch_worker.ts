/** The thread of a StallWatch. */
interface Watched {
  readonly steps: Int32Array;
  readonly usual: Float64Array;
  readonly name: string;
  readonly factor: number;
  readonly leastSeconds: number;
}

addEventListener("message", ({ data }: MessageEvent<Watched>) => {
  const { steps, usual, name, factor, leastSeconds } = data;
  let seen = 0, since = performance.now(), told = false;
  setInterval(() => {
    const now = Atomics.load(steps, 0);
    if (now !== seen) [seen, since, told] = [now, performance.now(), false];
    const seconds = (performance.now() - since) / 1000;
    if (now === 0 || told || seconds < Math.max(leastSeconds, factor * usual[0])) return;
    told = true;
    console.error(
      `${name}: the step after step ${now} has not ended for ${
        seconds.toFixed(0)
      } s, where steps took ` +
        `${usual[0].toFixed(2)} s; it may wait for data, another rank, or the device`,
    );
  }, 1000);
});
