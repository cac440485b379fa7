/**
 * A weights file that cannot be used: damaged, cut short, of another kind, or asking for something
 * that a file of numbers has no business to ask for.
 *
 * Callers catch it to try the file before this one; every other failure (a missing file, a shape
 * that does not fit the model) keeps its own type.
 */
export class WeightsFileError extends Error {
  override readonly name = "WeightsFileError";

  /** The same fault, told with the name of the file it was found in. */
  in(file: string): WeightsFileError {
    return new WeightsFileError(`Cannot read ${file}: ${this.message}`, { cause: this });
  }
}
