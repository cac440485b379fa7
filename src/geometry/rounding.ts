/**
 * Rounds to the nearest integer and halves to the even neighbour, as Python's `round`, NumPy's
 * `rint` and OpenCV's `cvRound` do (`Math.round` sends halves up).
 */
export function roundHalfEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
