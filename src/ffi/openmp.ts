/**
 * Has OpenMP's threads spin for some microseconds only before they sleep, unless a person has chosen
 * otherwise. Spinning on, as is their habit, they hold the core that the slowest of them needs: with one
 * more busy process on the machine a step took four times as long, and without one no longer either way.
 * OpenMP reads this once, when it is loaded.
 */
export function waitBriefly(): void {
  const chosen = Deno.env.get("OMP_WAIT_POLICY") ?? Deno.env.get("GOMP_SPINCOUNT");
  if (chosen === undefined) Deno.env.set("GOMP_SPINCOUNT", "10000");
}
