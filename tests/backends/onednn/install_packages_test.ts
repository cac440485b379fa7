import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { installPackages } from "../../../src/backends/onednn/install_packages.ts";

/** A machine whose apt-get answers the calls one after the other, and what it was asked. */
function machine(...stderrs: readonly string[]) {
  const asked: string[] = [];
  const execute = (program: string, args: readonly string[]) => {
    const stderr = stderrs[asked.length] ?? "";
    asked.push([program, ...args].join(" "));
    return Promise.resolve({
      code: stderr.includes("E: ") || stderr.includes("sudo:") ? 1 : 0,
      stderr,
    });
  };
  return { asked, execute };
}

Deno.test("installPackages() asks apt-get once where it knows the packages", async () => {
  const { asked, execute } = machine("W: a warning\n");
  await installPackages(["g++", "libdnnl-dev"], { isRoot: true, execute });
  assertEquals(asked.length, 1);
  assertMatch(asked[0], /^apt-get .*install --yes .*g\+\+ libdnnl-dev$/);
});

Deno.test("installPackages() fetches the lists where packages are unknown, and tries again", async () => {
  const { asked, execute } = machine("E: Unable to locate package libdnnl-dev\n");
  await installPackages(["libdnnl-dev"], { isRoot: true, execute });
  assertEquals(asked.map((words) => /(install|update)/.exec(words)?.[1]), [
    "install",
    "update",
    "install",
  ]);
});

Deno.test("installPackages() fails in apt's own words", async () => {
  const lock =
    "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 7 (dpkg)\n" +
    "N: Be aware that removing the lock file is not a solution\n";
  const { execute } = machine(lock, "W: Failed to fetch http://deb.example\n", lock);
  await assertRejects(
    () => installPackages(["g++"], { isRoot: true, execute }),
    Error,
    'Cannot install g++: apt-get says "E: Could not get lock /var/lib/dpkg/lock-frontend. It is ' +
      'held by process 7 (dpkg)", and of its lists apt-get says "W: Failed to fetch ' +
      'http://deb.example"; run this as root: apt-get update && apt-get install g++',
  );
});

Deno.test("installPackages() goes through a sudo that asks nobody, and says what it says", async () => {
  const refusal = "sudo: a password is required\n";
  const { asked, execute } = machine(refusal, refusal, refusal);
  await assertRejects(
    () => installPackages(["g++"], { isRoot: false, execute }),
    Error,
    "sudo: a password is required",
  );
  assertMatch(asked[0], /^sudo --non-interactive apt-get /);
});
