import type { TensorInfo } from "@tensorflow/tfjs";
import { NativeError } from "../../ffi/library.ts";
import { ParameterBlock } from "../../ffi/memory.ts";
import type { DeviceProperties, Driver, Extent } from "./bindings/driver.ts";
import type { DeviceBlock } from "./memory_pool.ts";
import type { CudaProgram, Defines, ProgramCache } from "./program.ts";
import { FORMAT_TYPE, type StorageFormat } from "./storage.ts";
import type { CudaStream } from "./stream.ts";

/** A number that a kernel takes as `float`; a bare number goes as `int`. */
export interface FloatArgument {
  readonly float: number;
}

/** Marks a launch argument as `float`. */
export function float(value: number): FloatArgument {
  return { float: value };
}

/** An argument of a launch: memory (absent is NULL), an `int`, or a `float`. */
export type LaunchArgument = TensorInfo | DeviceMemory | number | FloatArgument | undefined;

/** Device memory, whoever owns it. */
export type DeviceMemory = Pick<DeviceBlock, "address"> & Partial<DeviceBlock>;

/** A launch of one function of a program. */
export interface Launch {
  /** Name of the function, `extern "C" __global__`. */
  readonly function: string;
  /** In the order of the function's parameters. */
  readonly args: readonly LaunchArgument[];
  /** Threads needed in all; the grid covers them. */
  readonly threads?: number;
  /** Blocks by axis, instead of `threads`. */
  readonly grid?: Extent;
  /** Threads of a block; 256 without it. */
  readonly block?: number | Extent;
  /** Bytes of dynamic shared memory. */
  readonly shared?: number;
  /** Element types by macro; without it `Element` is that of the first tensor. */
  readonly types?: Readonly<Record<string, TensorInfo | StorageFormat>>;
  /** Further macros. */
  readonly defines?: Defines;
}

/** Where a tensor's values lie. */
export interface TensorMemory {
  address(info: TensorInfo): bigint;
  format(info: TensorInfo): StorageFormat;
}

/** Threads of a block where nothing else is asked. */
const BLOCK = 256;
/** Dynamic shared memory that every function may use. */
const USUAL_SHARED = 48 * 1024;

/** What a {@linkcode Launcher} works with. */
export interface LauncherOptions {
  readonly driver: Driver;
  readonly programs: ProgramCache;
  readonly stream: CudaStream;
  readonly memory: TensorMemory;
  readonly properties: DeviceProperties;
  /** Waits after each launch, so that a fault is told where it happened. */
  readonly debug: boolean;
}

/** Queues kernels. */
export class Launcher {
  readonly #options: LauncherOptions;
  readonly #block = new ParameterBlock();
  readonly #shared = new Map<bigint, number>();
  /** Launches so far. */
  launches = 0;

  constructor(options: LauncherOptions) {
    this.#options = options;
  }

  /**
   * Queues a kernel.
   *
   * @throws {CudaCompileError} If the program does not compile.
   * @throws {CudaError} If the launch is refused, or in debug mode fails.
   */
  launch(program: CudaProgram, launch: Launch): void {
    const { driver, stream } = this.#options;
    const { threads = 1, block = BLOCK, shared = 0 } = launch;
    const extent: Extent = typeof block === "number" ? [block, 1, 1] : block;
    const grid: Extent = launch.grid ??
      [Math.ceil(threads / (extent[0] * extent[1] * extent[2])), 1, 1];
    if (grid[0] * grid[1] * grid[2] === 0) return;
    const kernel = this.#function(program, launch);
    const call = {
      function: kernel,
      grid,
      block: extent,
      shared,
      stream: stream.address,
      parameters: this.#parameters(launch.args),
    };
    this.launches++;
    this.guard(
      () => driver.launch(call),
      () => `${program.name}.cu ${launch.function} with ${this.#describe(launch, grid, extent)}`,
    );
  }

  /**
   * Runs something that queues work; in debug mode waits for it.
   *
   * @param about What it is about, asked only when it failed.
   */
  guard(queue: () => void, about: () => string): void {
    try {
      queue();
      if (this.#options.debug) this.#options.stream.synchronize();
    } catch (cause) {
      if (!(cause instanceof NativeError)) throw cause;
      throw new Error(`Cannot run ${about()}: ${cause.message}`, { cause });
    }
  }

  #function(program: CudaProgram, launch: Launch): bigint {
    const { driver, programs } = this.#options;
    const defines = { ...this.#types(launch), ...launch.defines };
    const kernel = programs.function(program, launch.function, defines);
    const { shared = 0 } = launch;
    if (shared > USUAL_SHARED && (this.#shared.get(kernel) ?? 0) < shared) {
      driver.allowShared(kernel, shared);
      this.#shared.set(kernel, shared);
    }
    return kernel;
  }

  #types({ types, args }: Launch): Defines {
    const named = types ?? { Element: args.find(isTensor) ?? "float32" };
    const { memory } = this.#options;
    const defines: Record<string, string> = {};
    for (const [macro, of] of Object.entries(named)) {
      defines[macro] = FORMAT_TYPE[typeof of === "string" ? of : memory.format(of)];
    }
    return defines;
  }

  #parameters(args: readonly LaunchArgument[]): BigUint64Array<ArrayBuffer> {
    const block = this.#block.clear();
    for (const argument of args) {
      if (typeof argument === "number") block.int32(argument);
      else if (argument === undefined) block.address(0n);
      else if ("float" in argument) block.float32(argument.float);
      else if (isTensor(argument)) block.address(this.#options.memory.address(argument));
      else block.address(argument.address);
    }
    return block.table;
  }

  #describe({ args, shared = 0 }: Launch, grid: Extent, block: Extent): string {
    const values = args.map((argument) =>
      argument === undefined
        ? "NULL"
        : typeof argument === "number"
        ? `${argument}`
        : "float" in argument
        ? `${argument.float}`
        : isTensor(argument)
        ? `${this.#options.memory.format(argument)} [${argument.shape}]`
        : argument.bytes === undefined
        ? "memory"
        : `${argument.bytes} bytes`
    );
    return `${values.join(", ")}, grid ${grid.join(" x ")}, block ${block.join(" x ")}, ` +
      `${shared} bytes shared`;
  }
}

function isTensor(argument: LaunchArgument): argument is TensorInfo {
  return typeof argument === "object" && "dataId" in argument;
}
