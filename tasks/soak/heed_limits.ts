/** Runs before a training: has a file that grows beyond its limit be an error, not the program's end. */
Deno.addSignalListener("SIGXFSZ", () => {});
