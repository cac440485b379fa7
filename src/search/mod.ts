/** Search of a tracker's settings: what is tried, how many at once, what came of it. */
export { type Importance, importances, spearman } from "./importance.ts";
export {
  bestTable,
  importancesOf,
  importanceTable,
  plotSearch,
  rankTrials,
  type SearchResult,
} from "./report.ts";
export * from "./samplers.ts";
export * from "./search.ts";
export * from "./side_by_side.ts";
export * from "./space.ts";
export * from "./study.ts";
