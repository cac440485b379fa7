import type { Figure, Section } from "./section.ts";

/** Sections as a table for people. */
export function formatSections(
  sections: readonly Section[],
  { goals = true }: { readonly goals?: boolean } = {},
): string {
  return sections.flatMap(({ name, status, detail, figures }) => [
    `${status.padEnd(8)} ${name}: ${detail}`,
    ...figures.map((figure) => formatFigure(goals ? figure : { ...figure, goal: undefined })),
  ]).join("\n");
}

function formatFigure({ name, value, unit, against, goal }: Figure): string {
  const digits = Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
  const compared = against ? `  ${against.ratio.toFixed(2)} x ${against.name}` : "";
  const wanted = goal ? `  (goal: ${goal.text}, ${goal.met ? "met" : "NOT met"})` : "";
  return `         ${name.padEnd(48)} ${digits.padStart(9)} ${unit}${compared}${wanted}`;
}
