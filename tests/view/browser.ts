/** Drives a real browser through its debugging protocol. */
import { join } from "@std/path";

const PROGRAMS = ["chromium", "chromium-browser", "google-chrome"];

/** The browser's program, if there is one. */
export async function findBrowser(): Promise<string | undefined> {
  for (const program of PROGRAMS) {
    for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
      const path = join(folder, program);
      if ((await Deno.stat(path).catch(() => undefined))?.isFile) return path;
    }
  }
}

type Answer = { readonly id?: number; readonly result?: unknown; readonly error?: unknown };

/** A page in a browser without a window. */
export class Page implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #folder: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #last = 0;

  private constructor(process: Deno.ChildProcess, folder: string, socket: WebSocket) {
    this.#process = process;
    this.#folder = folder;
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      const { id = 0, result, error }: Answer = JSON.parse(data);
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error) waiting?.reject(new Error(JSON.stringify(error)));
      else waiting?.resolve(result);
    };
  }

  static async open(program: string, url: string): Promise<Page> {
    const folder = await Deno.makeTempDir();
    const args = "--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run " +
      "--disable-quic --disable-sync --disable-background-networking --disable-component-update " +
      "--remote-debugging-port=0 --window-size=800,700";
    const child = new Deno.Command(program, {
      args: [...args.split(" "), `--user-data-dir=${folder}`, url],
      stdout: "null",
      stderr: "null",
    }).spawn();
    const port = await until(async () => {
      const text = await Deno.readTextFile(join(folder, "DevToolsActivePort"));
      return text.split("\n")[0];
    });
    const target = await until(async () => {
      const pages = await (await fetch(`http://127.0.0.1:${port}/json`)).json();
      return pages.find((page: { type: string; url: string }) => page.url.startsWith(url));
    });
    const socket = new WebSocket(target.webSocketDebuggerUrl);
    await new Promise((resolve) => socket.onopen = resolve);
    return new Page(child, folder, socket);
  }

  /** Calls a method of the protocol. */
  call(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#last, answer = Promise.withResolvers<unknown>();
    this.#waiting.set(id, answer);
    this.#socket.send(JSON.stringify({ id, method, params }));
    return answer.promise;
  }

  /** The value of an expression in the page. */
  async value<T>(expression: string): Promise<T> {
    const params = { expression, returnByValue: true };
    const { result } = await this.call("Runtime.evaluate", params) as { result: { value: T } };
    return result.value;
  }

  /** Waits until an expression in the page is true. */
  async wait(expression: string): Promise<void> {
    await until(async () => await this.value<boolean>(expression) || undefined);
  }

  /** Draws with the mouse from one point of the page to another. */
  async drag(from: readonly [number, number], to: readonly [number, number]): Promise<void> {
    const mouse = (type: string, [x, y]: readonly [number, number]) =>
      this.call("Input.dispatchMouseEvent", {
        type,
        x,
        y,
        button: "left",
        buttons: 1,
        clickCount: 1,
      });
    await mouse("mousePressed", from);
    await mouse("mouseMoved", to);
    await mouse("mouseReleased", to);
  }

  /** A picture of the page, PNG. */
  async screenshot(): Promise<Uint8Array<ArrayBuffer>> {
    const { data } = await this.call("Page.captureScreenshot") as { data: string };
    return Uint8Array.fromBase64(data);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    this.#process.kill("SIGKILL");
    await this.#process.status;
    await Deno.remove(this.#folder, { recursive: true }).catch(() => {});
  }
}

/** Asks until there is an answer. */
async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (let i = 0; i < 600; i++) {
    const answer = await ask().catch(() => undefined);
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("The browser did not answer in 30 s");
}
