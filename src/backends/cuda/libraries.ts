import { LibraryNotFoundError, type LibraryOptions } from "../../ffi/library.ts";
import { readSystemFile } from "../../ffi/system_file.ts";

/** The libraries of NVIDIA that the backend opens. */
export type CudaLibraryName = "driver" | "nvrtc" | "cudnn" | "cublas" | "nccl";

/** Where each library may be, and how to get it. */
export type CudaLibraries = Readonly<Record<CudaLibraryName, LibraryOptions>>;

/** Environment variable that names folders, separated by colons, that come before all others. */
export const CUDA_PATH_VARIABLE = "SIAMBAN_CUDA_PATH";

/** CUDA versions that the backend works with, best first; a library's file name carries its version. */
const MAJORS = [13, 12];

interface Packaged {
  readonly name: string;
  /** File names, best first. */
  readonly files: readonly string[];
  /** Folders below site-packages where pip puts it. */
  readonly wheels: readonly string[];
  readonly remedy: string;
}

const PACKAGED: Readonly<Record<CudaLibraryName, Packaged>> = {
  driver: {
    name: "the NVIDIA driver (libcuda)",
    files: ["libcuda.so.1"],
    wheels: [],
    remedy: "install NVIDIA's driver, 525 or newer; no package of pip or conda holds it",
  },
  nvrtc: {
    name: "NVRTC",
    files: MAJORS.map((major) => `libnvrtc.so.${major}`),
    wheels: ["nvidia/cu13/lib", "nvidia/cuda_nvrtc/lib"],
    remedy: 'install it with "pip install nvidia-cuda-nvrtc" (CUDA 12: nvidia-cuda-nvrtc-cu12)',
  },
  cudnn: {
    name: "cuDNN 9",
    files: ["libcudnn.so.9"],
    wheels: ["nvidia/cudnn/lib"],
    remedy: 'install it with "pip install nvidia-cudnn-cu13" (CUDA 12: nvidia-cudnn-cu12)',
  },
  cublas: {
    name: "cuBLAS",
    files: MAJORS.map((major) => `libcublas.so.${major}`),
    wheels: ["nvidia/cu13/lib", "nvidia/cublas/lib"],
    remedy: 'install it with "pip install nvidia-cublas" (CUDA 12: nvidia-cublas-cu12)',
  },
  nccl: {
    name: "NCCL",
    files: ["libnccl.so.2"],
    wheels: ["nvidia/nccl/lib"],
    remedy: 'install it with "pip install nvidia-nccl-cu13" (CUDA 12: nvidia-nccl-cu12)',
  },
};

/** Folders of the system that a loader may not know. */
const SYSTEM_FOLDERS = [
  "/usr/local/cuda/lib64",
  "/usr/local/cuda/targets/x86_64-linux/lib",
  "/usr/lib/x86_64-linux-gnu",
  "/usr/lib64",
  "/usr/lib/wsl/lib",
  "/usr/local/nvidia/lib64",
];

/**
 * The libraries where people have them: folders of their own, the system, conda, pip's wheels.
 *
 * @param driverVersion What the driver knows, 1000 · major + 10 · minor: libraries of a newer CUDA are
 * passed over, since a driver cannot load what they compile.
 */
export function installedLibraries(driverVersion = Infinity): CudaLibraries {
  const tooNew = (file: string) =>
    MAJORS.some((major) => file.endsWith(`.so.${major}`) && 1000 * major > driverVersion);
  return mapLibraries(({ name, remedy, files: known, wheels }) => ({
    name,
    remedy: `${remedy}, or name its folder in ${CUDA_PATH_VARIABLE}`,
    files: () => {
      const files = known.filter((file) => !tooNew(file));
      const { before, after } = foldersOf(wheels);
      return [...inFolders(before, files), ...files, ...inFolders(after, files)];
    },
  }));
}

/** Folders in which a library is looked for, beside those that the system's loader knows. */
export function searchedFolders(name: CudaLibraryName): string[] {
  const { before, after } = foldersOf(PACKAGED[name].wheels);
  return [...before, ...after];
}

/** Folders that come before the system's loader, and after it. */
function foldersOf(wheels: readonly string[]): { before: string[]; after: string[] } {
  const inWheels = (folder: string) => wheels.map((wheel) => `${folder}/${wheel}`);
  return {
    before: ownFolders().flatMap((folder) => [
      folder,
      `${folder}/lib`,
      `${folder}/lib64`,
      ...inWheels(folder),
    ]),
    after: [...condaFolders(), ...sitePackages().flatMap(inWheels), ...SYSTEM_FOLDERS],
  };
}

/** Every library from one file. */
export function librariesFrom(file: string): CudaLibraries {
  return mapLibraries(({ name, remedy }) => ({ name, remedy, files: [file] }));
}

function mapLibraries(map: (packaged: Packaged) => LibraryOptions): CudaLibraries {
  const entries = Object.entries(PACKAGED).map(([key, packaged]) => [key, map(packaged)]);
  return Object.fromEntries(entries) as CudaLibraries;
}

function inFolders(folders: readonly string[], files: readonly string[]): string[] {
  return folders.flatMap((folder) => files.map((file) => `${folder}/${file}`)).filter(isFile);
}

function ownFolders(): string[] {
  return (Deno.env.get(CUDA_PATH_VARIABLE) ?? Deno.env.get("CUDA_PATH") ?? "").split(":")
    .filter((folder) => folder !== "");
}

function condaFolders(): string[] {
  const prefix = Deno.env.get("CONDA_PREFIX");
  return prefix ? [`${prefix}/lib`, `${prefix}/targets/x86_64-linux/lib`] : [];
}

/** Folders into which pip installs, of the active environment first. */
function sitePackages(): string[] {
  const bases = [
    Deno.env.get("VIRTUAL_ENV"),
    Deno.env.get("CONDA_PREFIX"),
    Deno.env.get("HOME") && `${Deno.env.get("HOME")}/.local`,
    "/usr/local",
    "/usr",
    "/opt/conda",
  ].filter((base) => base !== undefined && base !== "");
  return bases.flatMap((base) =>
    entries(`${base}/lib`).filter((name) => name.startsWith("python3")).flatMap((python) =>
      ["site-packages", "dist-packages"].map((name) => `${base}/lib/${python}/${name}`)
    )
  );
}

function entries(folder: string): string[] {
  try {
    return Array.from(Deno.readDirSync(folder), ({ name }) => name).sort().reverse();
  } catch {
    return []; // a folder that is not there or not to be read holds nothing for us
  }
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Parts of cuDNN 9 beside its main file, in the order in which one needs another. */
const CUDNN_PARTS = [
  "graph",
  "ops",
  "cnn",
  "engines_precompiled",
  "engines_runtime_compiled",
  "heuristic",
].map((part) => `libcudnn_${part}.so.9`);
/** Those without which a convolution ends the process instead of failing. */
const NEEDED_PARTS = 3;

/**
 * Opens what cuDNN itself looks for only when it runs, and ends the process if it is not there: its
 * parts, and cuBLAS and NVRTC, which the loader finds in pip's folders only once they are open.
 *
 * @param location The opened main file.
 * @throws {LibraryNotFoundError} If a part is missing, with its place.
 */
export function openCudnnParts(location: string, libraries: CudaLibraries): void {
  const file = loadedFrom(location);
  const folder = file.slice(0, file.lastIndexOf("/") + 1);
  for (const path of besideCudnn(libraries)) openQuietly(path);
  if (folder === "") return;
  const missing = CUDNN_PARTS.slice(0, NEEDED_PARTS).filter((part) => !isFile(folder + part));
  if (missing.length > 0) {
    throw new LibraryNotFoundError(
      libraries.cudnn,
      missing.map((part) => `${folder}${part} (no such file; ${file} needs it)`),
    );
  }
  for (const part of CUDNN_PARTS) openQuietly(folder + part);
}

/** Files of cuBLAS and NVRTC with those that they need in front. */
function besideCudnn({ cublas, nvrtc }: CudaLibraries): string[] {
  return [cublas, nvrtc].flatMap(({ files }) => typeof files === "function" ? files() : files)
    .filter((file) => file.includes("/"))
    .flatMap((file) => [file.replace("libcublas.so", "libcublasLt.so"), file]);
}

/**
 * Opens the file with the functions that NVRTC gives to kernels, which it looks for by its bare name
 * when it compiles, so in no folder of pip.
 *
 * @param location The opened NVRTC.
 */
export function openNvrtcBuiltins(location: string): void {
  const file = loadedFrom(location);
  const folder = file.slice(0, file.lastIndexOf("/") + 1);
  if (folder === "") return;
  const major = file.slice(file.indexOf(".so.") + ".so.".length).split(".")[0];
  for (const name of entries(folder)) {
    if (name.startsWith(`libnvrtc-builtins.so.${major}`)) openQuietly(folder + name);
  }
}

/** Opens a library for others to find; that it cannot be opened shows when it is needed. */
function openQuietly(path: string): void {
  try {
    if (isFile(path)) Deno.dlopen(path, {});
  } catch {
    // Of several versions that are installed only one need fit.
  }
}

/**
 * The file behind a library that is open, when the loader found it by its bare name.
 *
 * @returns The name itself where the system does not tell.
 */
export function loadedFrom(location: string): string {
  if (location.includes("/")) return location;
  const line = readSystemFile("/proc/self/maps")?.split("\n")
    .find((entry) => entry.includes(`/${location}`));
  return line?.slice(line.indexOf("/")) ?? location;
}
