/** Blocking stream sockets of the C library: what a rank says has to be said before its step goes on. */
import { openLibrary } from "../../ffi/library.ts";
import { cString, toCString } from "../../ffi/memory.ts";

const libc = openLibrary(
  { name: "the C library", files: ["libc.so.6", "libc.musl-x86_64.so.1", "libc.so"] },
  {
    socket: { parameters: ["i32", "i32", "i32"], result: "i32" }, // int domain, int type, int protocol
    bind: { parameters: ["i32", "buffer", "u32"], result: "i32" }, // int, const struct sockaddr *, socklen_t
    listen: { parameters: ["i32", "i32"], result: "i32" }, // int, int backlog
    accept: { parameters: ["i32", "pointer", "pointer"], result: "i32" }, // int, struct sockaddr *, socklen_t *
    connect: { parameters: ["i32", "buffer", "u32"], result: "i32" }, // int, const struct sockaddr *, socklen_t
    getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" }, // int, struct sockaddr *, socklen_t *
    setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" }, // int, int level, int name, const void *, socklen_t
    poll: { parameters: ["buffer", "u64", "i32"], result: "i32" }, // struct pollfd *, nfds_t, int milliseconds
    send: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" }, // int, const void *, size_t, int flags
    recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" }, // int, void *, size_t, int flags
    close: { parameters: ["i32"], result: "i32" }, // int
    getaddrinfo: { parameters: ["buffer", "buffer", "buffer", "buffer"], result: "i32" }, // const char *, const char *, const struct addrinfo *, struct addrinfo **
    freeaddrinfo: { parameters: ["pointer"], result: "void" }, // struct addrinfo *
    gai_strerror: { parameters: ["i32"], result: "pointer" }, // int -> const char *
    strerror: { parameters: ["i32"], result: "pointer" }, // int -> char *
    __errno_location: { parameters: [], result: "pointer" }, // -> int *
  },
);

// Of Linux, on all its processors.
const [AF_INET6, SOCK_STREAM, SOCK_CLOEXEC] = [10, 1, 0o2000000];
const [SOL_SOCKET, SO_REUSEADDR, SO_KEEPALIVE, SO_RCVTIMEO] = [1, 2, 9, 20];
const [IPPROTO_TCP, TCP_NODELAY, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT] = [6, 1, 4, 5, 6];
const [IPPROTO_IPV6, IPV6_V6ONLY] = [41, 26];
const MSG_NOSIGNAL = 0x4000;
const POLLIN = 1;
const EINTR = 4;
const AI_PASSIVE = 1;

/** A call of the socket interface failed. */
export class SocketError extends Error {
  override readonly name = "SocketError";
}

/** An address to bind or to connect to. */
interface Address {
  readonly family: number;
  /** `struct sockaddr`. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** One end of a connection. */
export class Socket implements Disposable {
  readonly #fd: number;
  #open = true;

  constructor(fd: number) {
    this.#fd = fd;
    // A machine that vanishes is noticed within half a minute.
    setOption(fd, SOL_SOCKET, SO_KEEPALIVE, [1]);
    setOption(fd, IPPROTO_TCP, TCP_KEEPIDLE, [10]);
    setOption(fd, IPPROTO_TCP, TCP_KEEPINTVL, [5]);
    setOption(fd, IPPROTO_TCP, TCP_KEEPCNT, [4]);
    setOption(fd, IPPROTO_TCP, TCP_NODELAY, [1]);
  }

  /** Sends all bytes. @throws {SocketError} If the connection is gone. */
  send(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) {
      const part = bytes.subarray(done) as Uint8Array<ArrayBuffer>;
      const count = Number(libc().send(this.#fd, part, BigInt(part.length), MSG_NOSIGNAL));
      if (count < 0) failUnlessInterrupted("send");
      else done += count;
    }
  }

  /**
   * Fills an array.
   *
   * @throws {SocketError} If the connection ends before, or the time given is over.
   */
  receive(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) {
      const part = bytes.subarray(done) as Uint8Array<ArrayBuffer>;
      const count = Number(libc().recv(this.#fd, part, BigInt(part.length), 0));
      if (count === 0) throw new SocketError("the connection was closed");
      if (count < 0) failUnlessInterrupted("recv");
      else done += count;
    }
  }

  /** Takes and forgets what comes, until the other end closes or nothing comes for so long. */
  drain(seconds: number): void {
    this.setPatience(seconds);
    const any = new Uint8Array(1 << 16);
    while (Number(libc().recv(this.#fd, any, BigInt(any.length), 0)) > 0);
  }

  /** How long {@linkcode receive} waits for more; 0 for any time. */
  setPatience(seconds: number): void {
    const time = new Uint8Array(new BigInt64Array([BigInt(seconds), 0n]).buffer); // struct timeval
    libc().setsockopt(this.#fd, SOL_SOCKET, SO_RCVTIMEO, time, time.length);
  }

  [Symbol.dispose](): void {
    if (this.#open) libc().close(this.#fd);
    this.#open = false;
  }
}

/** A socket that others connect to. */
export class Listener implements Disposable {
  readonly #fd: number;

  /**
   * @param host Name or address of this machine, of whose networks it listens on one; null for all.
   * @param port 0 for any that is free.
   * @throws {SocketError} If the port is taken.
   */
  constructor(host: string | null, port: number) {
    this.#fd = openFirst(resolve(host, port), "bind", (fd, { family, bytes }) => {
      setOption(fd, SOL_SOCKET, SO_REUSEADDR, [1]);
      if (family === AF_INET6) setOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, [0]);
      return libc().bind(fd, bytes, bytes.length) || libc().listen(fd, 1024);
    });
  }

  /** The port that others connect to. */
  get port(): number {
    const address = new Uint8Array(128);
    const length = new Uint8Array(Uint32Array.of(address.length).buffer);
    if (libc().getsockname(this.#fd, address, length) !== 0) fail("getsockname");
    return address[2] * 256 + address[3]; // of both struct sockaddr_in and _in6
  }

  /** The next connection; nothing if none comes in time. */
  accept(seconds: number): Socket | undefined {
    const wanted = new DataView(new ArrayBuffer(8)); // struct pollfd
    wanted.setInt32(0, this.#fd, true);
    wanted.setInt16(4, POLLIN, true);
    if (libc().poll(new Uint8Array(wanted.buffer), 1n, Math.ceil(1000 * seconds)) <= 0) return;
    const fd = libc().accept(this.#fd, null, null);
    if (fd < 0) return;
    return new Socket(fd);
  }

  [Symbol.dispose](): void {
    libc().close(this.#fd);
  }
}

/**
 * Connects.
 *
 * @throws {SocketError} If nobody listens there, or the name is not known.
 */
export function connect(host: string, port: number): Socket {
  const fd = openFirst(
    resolve(host, port),
    "connect",
    (fd, { bytes }) => libc().connect(fd, bytes, bytes.length),
  );
  return new Socket(fd);
}

/** A socket for the first address with which something succeeds. */
function openFirst(
  addresses: readonly Address[],
  call: string,
  use: (fd: number, address: Address) => number,
): number {
  let reason = "there is no such address";
  for (const address of addresses) {
    const fd = libc().socket(address.family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && use(fd, address) === 0) return fd;
    reason = lastError();
    if (fd >= 0) libc().close(fd);
  }
  throw new SocketError(`${call}: ${reason}`);
}

/** The addresses of a machine; without a name those that stand for all networks of this one. */
function resolve(host: string | null, port: number): Address[] {
  const hints = new Int32Array(12); // struct addrinfo: flags, family, type, protocol, …
  hints.set([host === null ? AI_PASSIVE : 0, 0, SOCK_STREAM]);
  const list = new BigUint64Array(1);
  const name = host === null ? null : toCString(host);
  const status = libc().getaddrinfo(name, toCString(String(port)), hints, list);
  if (status !== 0) throw new SocketError(`"${host}": ${cString(libc().gai_strerror(status))}`);
  const addresses: Address[] = [];
  for (let at = Deno.UnsafePointer.create(list[0]); at !== null;) {
    const info = new Deno.UnsafePointerView(at);
    const bytes = new Uint8Array(info.getUint32(16));
    new Deno.UnsafePointerView(info.getPointer(24)!).copyInto(bytes);
    addresses.push({ family: info.getInt32(4), bytes });
    at = info.getPointer(40);
  }
  libc().freeaddrinfo(Deno.UnsafePointer.create(list[0]));
  // One that takes connections of both kinds comes before one that takes the older kind alone.
  return host === null ? addresses.sort((a, b) => b.family - a.family) : addresses;
}

function setOption(fd: number, level: number, name: number, value: readonly number[]): void {
  const bytes = new Uint8Array(Int32Array.from(value).buffer);
  libc().setsockopt(fd, level, name, bytes, bytes.length);
}

function errno(): number {
  return new Deno.UnsafePointerView(libc().__errno_location()!).getInt32();
}

function lastError(): string {
  return cString(libc().strerror(errno()));
}

function fail(call: string): never {
  throw new SocketError(`${call}: ${lastError()}`);
}

function failUnlessInterrupted(call: string): void {
  if (errno() !== EINTR) fail(call);
}
