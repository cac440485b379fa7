import denoJson from "../../deno.json" with { type: "json" };

/** The permissions of a task as a program is given them, without the quotes that keep a shell from its patterns. */
export function taskFlags(task: "train" | "soak"): string[] {
  const words = denoJson.tasks[task].replaceAll("'", "").split(" ");
  return words.filter((word) => word.startsWith("--"));
}
