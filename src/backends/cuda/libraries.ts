import type { LibraryOptions } from "../../ffi/library.ts";

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

/** The libraries where people have them: folders of their own, the system, conda, pip's wheels. */
export function installedLibraries(): CudaLibraries {
  return mapLibraries(({ name, remedy, files, wheels }) => ({
    name,
    remedy: `${remedy}, or name its folder in ${CUDA_PATH_VARIABLE}`,
    files: () => {
      const packages = sitePackages();
      return [
        ...inFolders(
          ownFolders().flatMap((folder) => [
            folder,
            `${folder}/lib`,
            `${folder}/lib64`,
            ...wheels.map((wheel) => `${folder}/${wheel}`),
          ]),
          files,
        ),
        ...files,
        ...inFolders([
          ...condaFolders(),
          ...packages.flatMap((folder) => wheels.map((wheel) => `${folder}/${wheel}`)),
          ...SYSTEM_FOLDERS,
        ], files),
      ];
    },
  }));
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

/**
 * The file behind a library that is open, when the loader found it by its bare name.
 *
 * @returns The name itself where the system does not tell.
 */
export function loadedFrom(location: string): string {
  if (location.includes("/")) return location;
  try {
    const line = Deno.readTextFileSync("/proc/self/maps").split("\n")
      .find((entry) => entry.includes(`/${location}`));
    return line?.slice(line.indexOf("/")) ?? location;
  } catch {
    return location;
  }
}
