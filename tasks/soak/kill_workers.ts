/** Runs before a training: has its loader start workers that die. */
const Thread = globalThis.Worker;

globalThis.Worker = class extends Thread {
  constructor(module: string | URL, options?: WorkerOptions) {
    const isLoader = String(module).endsWith("/loader_worker.ts");
    super(isLoader ? new URL("./dying_loader_worker.ts", import.meta.url) : module, options);
  }
};
