/** What the commands that read raw data share. */
import { detectFormats, TRACK_READERS, type TrackFormat } from "../../mod.ts";

const FORMATS = Object.keys(TRACK_READERS);

/**
 * The form of the raw data, as given or as found.
 *
 * @throws {TypeError} If they are not there, or have no known form.
 */
export async function formatOf(source: string, format: string | undefined): Promise<TrackFormat> {
  const name = format?.toLowerCase();
  if (name !== undefined && !Object.hasOwn(TRACK_READERS, name)) {
    throw new TypeError(
      `Cannot read: --format is "${format}", expected one of ${FORMATS.join(", ")}`,
    );
  }
  if ((name ?? source) === "synthetic") return "synthetic";
  await checkExists(source);
  if (name !== undefined) return name as TrackFormat;
  const [found, ...others] = await detectFormats(source);
  if (found !== undefined && others.length === 0) return found;
  const what = found === undefined
    ? "it has no known form"
    : `it may be ${[found, ...others].join(" or ")}`;
  throw new TypeError(
    `Cannot read "${source}": ${what}, pass --format with one of ${FORMATS.slice(1).join(", ")}`,
  );
}

async function checkExists(source: string): Promise<void> {
  try {
    await Deno.stat(source);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new TypeError(`Cannot find "${source}", expected the folder or file of the raw data`, {
      cause,
    });
  }
}

/** A whole number from the command line. */
export function numberOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  throw new TypeError(`--${name} is "${text}", expected a whole number`);
}

/** `1536` to `1.5 KiB`. */
export function formatBytes(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let power = 0;
  for (; bytes >= 1024 && power < units.length - 1; power++) bytes /= 1024;
  return `${power === 0 ? bytes : bytes.toFixed(1)} ${units[power]}`;
}

/** `3725` to `1 h 2 min`. */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  if (seconds < 100) return `${seconds.toFixed(0)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
