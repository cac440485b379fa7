/** A setting that other settings make impossible. */
export interface Contradiction {
  /** Path of the setting, e.g. `["training", "scoreSize"]`. */
  readonly path: readonly string[];
  /** What would fit, with the reason. */
  readonly expected: string;
  /** Words that would be right, for a suggestion. */
  readonly choices?: readonly string[];
}
