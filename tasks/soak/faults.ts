/** What a training of the soak has to survive. */
import { join } from "@std/path";
import type { Rng } from "../../mod.ts";
import { fill, forbid, takeAway } from "./bounded_folder.ts";
import { type Scene, SoakFault, wait } from "./scene.ts";

/** Status of a training that was asked to stop. */
const STOPPED = 75;

/** Starts the training, does something to it or its files, and sees that it takes that as it should. */
export type Fault = (scene: Scene) => Promise<void>;

const kill: Fault = (scene) =>
  scene.run(async (trainee) => {
    await scene.randomMoment(trainee);
    await trainee.kill(scene.rng.integer(scene.ranks));
  });

const killInSave: Fault = (scene) =>
  scene.run(async (trainee) => {
    await scene.saves(trainee, 1 + scene.rng.integer(4));
    for (let i = 0; i < 10_000 && !scene.isSaving(); i++) await wait(1);
    await trainee.kill();
  });

const stopBy = (signal: "TERM" | "INT"): Fault => (scene) =>
  scene.run(async (trainee) => {
    await scene.saves(trainee, 1 + scene.rng.integer(4));
    await wait(scene.rng.uniform() * 500);
    await trainee.signal(signal, scene.rng.integer(scene.ranks));
    await scene.ends(trainee, STOPPED);
  });

/** Kills the training, damages its newest checkpoint, and sees that it is told and passed by. */
const damageCheckpoint =
  (damage: (path: string, rng: Rng) => Promise<void>): Fault => async (scene) => {
    await scene.run((trainee) => scene.saves(trainee, 3));
    const newest = await scene.newest();
    if (newest === undefined) throw new SoakFault("there is no whole checkpoint after three saves");
    await damage(newest, scene.rng);
    await goesOnWithout(scene, newest);
  };

async function truncate(path: string, rng: Rng): Promise<void> {
  const { size } = await Deno.stat(path);
  await Deno.truncate(path, rng.integer(size));
}

async function flipBit(path: string, rng: Rng): Promise<void> {
  const bytes = await Deno.readFile(path);
  bytes[rng.integer(bytes.length)] ^= 1 << rng.integer(8);
  await Deno.writeFile(path, bytes);
}

/** A file with the name of a newer checkpoint, and with noise in it. */
const strayCheckpoint: Fault = async (scene) => {
  const path = join(scene.snapshots, "checkpoint_e999999.safetensors");
  await Deno.mkdir(scene.snapshots, { recursive: true });
  const size = 1 + scene.rng.integer(100_000);
  await Deno.writeFile(path, Uint8Array.from({ length: size }, () => scene.rng.integer(256)));
  await goesOnWithout(scene, path);
};

async function goesOnWithout(scene: Scene, damaged: string): Promise<void> {
  await scene.run(async (trainee) => {
    await scene.saves(trainee, 1);
    const isNamed = trainee.hasSaid(new RegExp(`${damaged.split("/").at(-1)}.*: `));
    if (!isNamed) throw new SoakFault(`${damaged} is damaged, and nothing was said of it`);
  });
}

const damageIndex: Fault = async (scene) => {
  const path = join(scene.data, "train.json.index");
  await scene.run((trainee) => scene.saves(trainee, 1));
  await flipBit(path, scene.rng);
  await scene.run((trainee) => scene.saves(trainee, 1));
};

/** Cuts a third of the pictures, of which the training must name one, and brings them back. */
const damagePictures: Fault = async (scene) => {
  const originals = new Map<string, Uint8Array<ArrayBuffer>>();
  // In one step each: a picture that is half brought back would be another picture.
  const put = async (path: string, bytes: Uint8Array<ArrayBuffer>) => {
    await Deno.writeFile(`${path}.new`, bytes);
    await Deno.rename(`${path}.new`, path);
  };
  try {
    await scene.run(async (trainee) => {
      await scene.saves(trainee, 1 + scene.rng.integer(2));
      for (const path of await picturesOf(join(scene.data, "crop511"))) {
        if (scene.rng.integer(3) > 0) continue;
        const bytes = await Deno.readFile(path);
        originals.set(path, bytes);
        await put(path, bytes.subarray(0, scene.rng.integer(bytes.length)));
      }
      await scene.ends(trainee, 1, /crop511\/.*\.jpg/);
    });
  } finally {
    for (const [path, bytes] of originals) await put(path, bytes);
  }
};

async function picturesOf(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) paths.push(...await picturesOf(path));
    else if (name.endsWith(".x.jpg")) paths.push(path);
  }
  return paths.sort();
}

const killWorkers: Fault = (scene) =>
  scene.run(
    async (trainee) => {
      // Those that it has already started may die twice more: enough to see one die.
      const died = () => trainee.hasSaid(/^data: worker \d+ ended with .*killed by the soak/);
      if (!await trainee.until(died)) await scene.ends(trainee, STOPPED);
      await scene.saves(trainee, 1 + scene.rng.integer(3));
    },
    {
      preload: new URL("./kill_workers.ts", import.meta.url),
      env: { SIAMBAN_SOAK_SEED: String(scene.rng.integer(2 ** 31)) },
    },
  );

const fillDisk: Fault = (scene) =>
  scene.run(async (trainee) => {
    await scene.saves(trainee, 1 + scene.rng.integer(3));
    await using _ = await fill(scene.out);
    await scene.ends(trainee, 1, /the disk is full/);
  });

const forbidWriting: Fault = (scene) =>
  scene.run(async (trainee) => {
    await scene.saves(trainee, 1 + scene.rng.integer(3));
    await using _ = await forbid(scene.out);
    await scene.ends(trainee, 1, /read-only/);
  });

const takeDisk: Fault = (scene) =>
  scene.run(async (trainee) => {
    await scene.saves(trainee, 1 + scene.rng.integer(3));
    await using _ = await takeAway(scene.out);
    await scene.ends(trainee, 1, /another disk stands there now|its folder does not exist/);
  });

/** Where no small disk can be had: files may not grow beyond some size. */
const limitFiles: Fault = (scene) =>
  scene.run(
    (trainee) => scene.ends(trainee, 1, /the file is larger than this disk or your limits allow/),
    { preload: new URL("./heed_limits.ts", import.meta.url), fileBytes: 1 << 16 },
  );

/** All faults by name; those of the disk need one of its own. */
export function faultsOf({ bounded }: Pick<Scene, "bounded">): Readonly<Record<string, Fault>> {
  return {
    "kill": kill,
    "kill-in-save": killInSave,
    "sigterm": stopBy("TERM"),
    "sigint": stopBy("INT"),
    "checkpoint-cut": damageCheckpoint(truncate),
    "checkpoint-bit": damageCheckpoint(flipBit),
    "checkpoint-stray": strayCheckpoint,
    "index-bit": damageIndex,
    "pictures-cut": damagePictures,
    "worker": killWorkers,
    ...bounded
      ? { "disk-full": fillDisk, "disk-read-only": forbidWriting, "disk-gone": takeDisk }
      : { "file-limit": limitFiles },
  };
}
