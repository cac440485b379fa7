/** Something that the program uses, as it was found. */
export interface Finding {
  readonly name: string;
  /** Version, place, what it is; or what is wrong. */
  readonly detail: string;
  /** How to get or mend it; absent where nothing is missing. */
  readonly remedy?: string;
  /** Places that were looked into in vain. */
  readonly searched?: readonly string[];
}
