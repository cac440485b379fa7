import type { Ltwh } from "../geometry/boxes.ts";
import { encodeJpeg } from "../image/encode.ts";
import type { Image } from "../image/image.ts";
import { PAGE } from "./page.ts";

/** What is shown beside a frame. */
export interface ShownFrame {
  readonly frame: Image;
  readonly index: number;
  readonly box: Ltwh;
  readonly score: number;
  readonly framesPerSecond: number;
}

/** Only what the page itself is made of may run in it. */
const POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; " +
  "connect-src 'self' ws:; img-src 'self' blob:";

const JPEG_QUALITY = 85;

/** A browser that looks on. */
interface Viewer {
  readonly socket: WebSocket;
  /** Whether it has yet to show the last picture that it was sent. */
  busy: boolean;
}

/**
 * A page on this machine that shows frames as they are tracked, and in which a person can draw the
 * first box. It listens on the loopback address only, and answers no other page.
 */
export class LiveView implements AsyncDisposable {
  readonly url: string;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #viewers = new Set<Viewer>();
  #last?: readonly [text: string, picture: Uint8Array<ArrayBuffer>];
  #chosen?: PromiseWithResolvers<Ltwh>;

  /** @param port 0 takes any that is free. */
  constructor({ port = 0 }: { readonly port?: number } = {}) {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port, onListen: () => {} },
      (request) => this.#answer(request),
    );
    this.url = `http://127.0.0.1:${this.#server.addr.port}/`;
  }

  /** How many browsers look on. */
  get viewers(): number {
    return this.#viewers.size;
  }

  /** Shows a frame; a browser that is still busy with another one is passed over. */
  async show({ frame, index, box, score, framesPerSecond }: ShownFrame): Promise<void> {
    if (this.#viewers.size === 0) {
      this.#last = undefined;
      return;
    }
    const place = [box.x, box.y, box.w, box.h];
    await this.#send({ kind: "frame", index, box: place, score, framesPerSecond }, frame);
  }

  /** Shows a frame and waits until someone has drawn a box on it. */
  async choose(frame: Image): Promise<Ltwh> {
    this.#chosen = Promise.withResolvers<Ltwh>();
    await this.#send({ kind: "choose", width: frame.width, height: frame.height }, frame);
    const box = await this.#chosen.promise;
    this.#chosen = undefined;
    this.#last = undefined;
    return box;
  }

  /** Says that there are no more frames. */
  end(frames: number): void {
    for (const { socket } of this.#viewers) {
      if (socket.readyState === WebSocket.OPEN) {
        socket.send(JSON.stringify({ kind: "end", frames }));
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { socket } of this.#viewers) {
      if (socket.readyState === WebSocket.OPEN) socket.close();
    }
    await this.#server.shutdown();
  }

  async #send(about: object, frame: Image): Promise<void> {
    this.#last = [JSON.stringify(about), await encodeJpeg(frame, JPEG_QUALITY)];
    for (const viewer of this.#viewers) if (!viewer.busy) this.#sendLast(viewer);
  }

  #sendLast(viewer: Viewer): void {
    if (!this.#last || viewer.socket.readyState !== WebSocket.OPEN) return;
    viewer.busy = true;
    for (const part of this.#last) viewer.socket.send(part);
  }

  #answer(request: Request): Response {
    const { pathname, host } = new URL(request.url);
    // A page elsewhere may reach the loopback address through a name of its own.
    const own = new URL(this.url).host;
    const origin = request.headers.get("origin");
    if (host !== own && host !== own.replace("127.0.0.1", "localhost")) {
      return new Response("Not for this host", { status: 403 });
    }
    if (pathname === "/") {
      const headers = {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": POLICY,
        "cache-control": "no-store",
      };
      return new Response(PAGE, { headers });
    }
    if (pathname !== "/stream") return new Response("Nothing here", { status: 404 });
    if (origin !== `http://${host}` || request.headers.get("upgrade") !== "websocket") {
      return new Response("Only for the page itself", { status: 403 });
    }
    const { socket, response } = Deno.upgradeWebSocket(request);
    this.#welcome(socket);
    return response;
  }

  #welcome(socket: WebSocket): void {
    const viewer: Viewer = { socket, busy: false };
    socket.onopen = () => {
      this.#viewers.add(viewer);
      this.#sendLast(viewer);
    };
    socket.onclose = () => this.#viewers.delete(viewer);
    socket.onerror = () => this.#viewers.delete(viewer);
    socket.onmessage = ({ data }) => {
      const message = parseMessage(data);
      if (message?.box) this.#chosen?.resolve(message.box);
      if (message?.shown) viewer.busy = false;
    };
  }
}

/** What a page says, if it is anything known. */
function parseMessage(data: unknown): { box?: Ltwh; shown?: boolean } | undefined {
  try {
    const { box, shown } = JSON.parse(String(data));
    if (shown === true) return { shown };
    if (!Array.isArray(box) || box.length !== 4 || !box.every(Number.isFinite)) return undefined;
    const [x, y, w, h] = box;
    return w > 0 && h > 0 ? { box: { x, y, w, h } } : undefined;
  } catch {
    return undefined;
  }
}
