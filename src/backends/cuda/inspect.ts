import { isAvailable, type LibraryOptions, openLibrary } from "../../ffi/library.ts";
import { Cublas } from "./bindings/cublas.ts";
import { Cudnn } from "./bindings/cudnn.ts";
import { Driver } from "./bindings/driver.ts";
import { Nccl } from "./bindings/nccl.ts";
import { Nvrtc } from "./bindings/nvrtc.ts";
import {
  type CudaLibraries,
  type CudaLibraryName,
  installedLibraries,
  loadedFrom,
  openCudnnParts,
  searchedFolders,
} from "./libraries.ts";
import { readSystemFile } from "../../ffi/system_file.ts";

/** A card of the machine. */
export interface CardReport {
  readonly name: string;
  /** Such as 9.0. */
  readonly computeCapability: string;
  readonly memoryBytes: number;
}

/** A library of NVIDIA's that was found, or not. */
export interface LibraryReport {
  readonly name: string;
  /** The file, where it was found. */
  readonly location?: string;
  readonly version?: string;
  /** What is wrong with it; absent if nothing is. */
  readonly problem?: string;
  /** Folders that were looked into, beside the loader's own, where it was not found. */
  readonly searched?: readonly string[];
  /** How to get it, where it was not found. */
  readonly remedy?: string;
}

/** What of NVIDIA's hardware and software is there. */
export interface CudaReport {
  /** Version of the kernel's driver, such as 580.65.06; absent where none is loaded. */
  readonly kernelDriver?: string;
  readonly cards: readonly CardReport[];
  /** Why no card can be used, although the driver's library is there. */
  readonly problem?: string;
  /** Driver, NVRTC, cuDNN, cuBLAS and NCCL, in this order. */
  readonly libraries: readonly LibraryReport[];
}

/** Looks for everything that the `cuda` backend uses. */
export function inspectCuda(): CudaReport {
  const driver = inspectDriver();
  const libraries = installedLibraries(driver.version);
  const others: LibraryReport[] = [
    inspect("nvrtc", libraries, (places) => new Nvrtc(places).version()),
    inspect("cudnn", libraries, (places) => cudnnVersion(places, libraries)),
    inspect("cublas", libraries, (places) => new Cublas(places).version()),
    inspect("nccl", libraries, (places) => dotted(new Nccl(places).version(), 10000)),
  ];
  return {
    kernelDriver: kernelDriver(),
    cards: driver.cards,
    problem: driver.problem,
    libraries: [driver.library, ...others],
  };
}

function inspectDriver() {
  const { driver: places } = installedLibraries();
  let version: number | undefined;
  const library = inspect("driver", installedLibraries(), () => {
    version = new Driver(places).version();
    return `CUDA ${Math.floor(version / 1000)}.${(version % 1000) / 10}`;
  });
  try {
    return { library, version, cards: library.location ? listCards(new Driver(places)) : [] };
  } catch (error) {
    return { library, version, cards: [], problem: (error as Error).message };
  }
}

function listCards(driver: Driver): CardReport[] {
  driver.init();
  return Array.from({ length: driver.deviceCount() }, (_, ordinal) => {
    const { name, computeMajor, computeMinor, totalBytes } = driver.properties(
      driver.device(ordinal),
    );
    return {
      name,
      computeCapability: `${computeMajor}.${computeMinor}`,
      memoryBytes: totalBytes,
    };
  });
}

/** cuDNN ends the process where a part of it is missing, so these are looked for first. */
function cudnnVersion(places: LibraryOptions, libraries: CudaLibraries): string {
  openCudnnParts(openLibrary(places, {}).location(), libraries);
  return dotted(new Cudnn(places).version(), 10000);
}

function inspect(
  name: CudaLibraryName,
  libraries: CudaLibraries,
  version: (places: LibraryOptions) => string,
): LibraryReport {
  const places = libraries[name];
  const library = openLibrary(places, {});
  if (!isAvailable(library)) {
    const { name: title, remedy } = places;
    return { name: title, problem: "not found", searched: searchedFolders(name), remedy };
  }
  const found = { name: places.name, location: loadedFrom(library.location()) };
  try {
    return { ...found, version: version(places) };
  } catch (error) {
    return { ...found, problem: (error as Error).message };
  }
}

/** `first` · major + 100 · minor + patch, with dots. */
function dotted(version: number, first: number): string {
  const rest = version % first;
  return [Math.floor(version / first), Math.floor(rest / 100), rest % 100].join(".");
}

function kernelDriver(): string | undefined {
  const text = readSystemFile("/proc/driver/nvidia/version") ?? ""; // not there without the driver
  return /(\d+\.\d+(\.\d+)?)\s/.exec(text)?.[1];
}
