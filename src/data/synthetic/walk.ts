import type { Center } from "../../geometry/boxes.ts";
import type { Rng } from "../../random.ts";

/** Where an actor of a drawn video is, and how large. */
export type WalkStep = Center;

/** The stage of a walk and its pace. */
export interface WalkOptions {
  readonly frames: number;
  /** The stage, in pixels. */
  readonly width: number;
  readonly height: number;
  /** Mean pixels a frame. */
  readonly speed: number;
}

const TAU = 2 * Math.PI;

/**
 * A smooth walk inside the stage: the heading swings slowly, the walls reflect it, and the size
 * swells and shrinks by up to a quarter.
 */
export function makeWalk({ frames, width, height, speed }: WalkOptions, rng: Rng): WalkStep[] {
  const side = Math.min(width, height) * (0.16 + 0.09 * rng.uniform());
  const aspect = Math.exp(0.6 * (rng.uniform() - 0.5));
  const swell = { phase: rng.uniform(), period: 30 + 40 * rng.uniform() };
  const swing = { phase: rng.uniform(), period: 25 + 50 * rng.uniform() };
  const pace = speed * (0.8 + 0.4 * rng.uniform());
  let heading = TAU * rng.uniform();
  let cx = width * (0.2 + 0.6 * rng.uniform()), cy = height * (0.2 + 0.6 * rng.uniform());
  return Array.from({ length: frames }, (_, i) => {
    const scale = 1 + 0.25 * Math.sin(TAU * (i / swell.period + swell.phase));
    const w = side * aspect * scale, h = side / aspect * scale;
    heading += 0.12 * Math.sin(TAU * (i / swing.period + swing.phase)) + 0.05 * rng.normal();
    let vx = Math.cos(heading) * pace, vy = Math.sin(heading) * pace;
    if (cx + vx < w / 2 || cx + vx > width - w / 2) vx = Math.sign(width / 2 - cx) * Math.abs(vx);
    if (cy + vy < h / 2 || cy + vy > height - h / 2) vy = Math.sign(height / 2 - cy) * Math.abs(vy);
    heading = Math.atan2(vy, vx);
    cx = clamp(cx + vx, w / 2, width - w / 2);
    cy = clamp(cy + vy, h / 2, height - h / 2);
    return { cx, cy, w, h };
  });
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
