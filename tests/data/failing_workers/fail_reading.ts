/** Workers of the loader that fail while they read a picture. */

/** Has `fail` called before the picture number `count` of this thread is read, from 1. */
export function beforeReading(fail: (count: number) => void): void {
  const read = Deno.readFileSync;
  let count = 0;
  Deno.readFileSync = (path) => {
    fail(++count);
    return read(path);
  };
}

/** Ends this thread with an error that nothing catches. */
export function die(): void {
  queueMicrotask(() => {
    throw new Error("killed");
  });
}

/** True for the first thread that asks, among those of one loading, and false later. */
export function isFirst(name: string): boolean {
  const key = `siamban-test-${name}`;
  const first = Deno.env.get(key) === undefined;
  Deno.env.set(key, "seen");
  return first;
}
