/** Apart enough that no two settings of the variable share a shape. */
const APART = 1000;

/**
 * Seeds of a test over random shapes: 0, 1, 2, …, or others where the environment variable
 * SIAMBAN_TEST_SEED is set to another number than 0.
 */
export function testSeeds(count: number): number[] {
  const first = APART * Number(readVariable("SIAMBAN_TEST_SEED") ?? 0);
  return Array.from({ length: count }, (_, i) => first + i);
}

function readVariable(variable: string): string | undefined {
  // Tests that need no permission must not ask for one.
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  return state === "granted" ? Deno.env.get(variable) : undefined;
}
