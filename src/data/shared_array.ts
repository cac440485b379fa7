interface SharedArrayType<A> {
  new (buffer: SharedArrayBuffer): A;
  readonly BYTES_PER_ELEMENT: number;
}

/** The numbers in memory that every thread of the process sees. */
export function sharedCopy<A extends { set(values: ArrayLike<number>): void }>(
  type: SharedArrayType<A>,
  values: ArrayLike<number>,
): A {
  const copy = sharedArray(type, values.length);
  copy.set(values);
  return copy;
}

/** Zeros in memory that every thread of the process sees. */
export function sharedArray<A>(type: SharedArrayType<A>, length: number): A {
  return new type(new SharedArrayBuffer(length * type.BYTES_PER_ELEMENT));
}
