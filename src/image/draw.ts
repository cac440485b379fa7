/**
 * Marks on pictures, for people to look at. Nothing is changed in place.
 *
 * @module
 */
import type { Corner } from "../geometry/boxes.ts";
import { GLYPH_HEIGHT, GLYPH_WIDTH, hasDot } from "./font.ts";
import { type Color, createImage, type Image } from "./image.ts";

/** A rectangle to draw. */
export interface BoxMark {
  readonly box: Corner;
  /** Green. */
  readonly color?: Color;
  /** Pixels; 2. */
  readonly lineWidth?: number;
  /** Text above the box. */
  readonly label?: string;
}

const GREEN: Color = [0, 255, 0];
const WHITE: Color = [255, 255, 255];
const BLACK: Color = [0, 0, 0];

/** Outlines boxes, later ones above earlier ones; what lies beyond the picture is left out. */
export function drawBoxes(image: Image, marks: readonly BoxMark[]): Image {
  const out = copyOf(image);
  for (const { box, color = GREEN, lineWidth = 2, label } of marks) {
    const from = Math.floor(lineWidth / 2);
    const x1 = Math.round(box.x1) - from, x2 = Math.round(box.x2) - from;
    const y1 = Math.round(box.y1) - from, y2 = Math.round(box.y2) - from;
    const w = x2 - x1 + lineWidth, h = y2 - y1 + lineWidth;
    fillRectangle(out, { x: x1, y: y1, w, h: lineWidth }, color);
    fillRectangle(out, { x: x1, y: y2, w, h: lineWidth }, color);
    fillRectangle(out, { x: x1, y: y1, w: lineWidth, h }, color);
    fillRectangle(out, { x: x2, y: y1, w: lineWidth, h }, color);
    if (label) {
      paintText(out, label, { x: Math.max(0, x1), y: Math.max(0, y1 - GLYPH_HEIGHT - 2), color });
    }
  }
  return out;
}

/** Where and how {@linkcode drawText} writes. */
export interface TextOptions {
  /** Upper left corner of the text; 2. */
  readonly x?: number;
  readonly y?: number;
  /** White. */
  readonly color?: Color;
  /** Pixels a dot of the 5 x 7 letters; 1. */
  readonly scale?: number;
}

/** Writes a line of ASCII text on a black ground. */
export function drawText(image: Image, text: string, options: TextOptions = {}): Image {
  const out = copyOf(image);
  paintText(out, text, options);
  return out;
}

/** How {@linkcode contactSheet} arranges its pictures. */
export interface SheetOptions {
  /** Pictures a row; all in one row. */
  readonly columns?: number;
  /** Pixels between pictures; 2. */
  readonly gap?: number;
  /** Colour between pictures; white. */
  readonly background?: Color;
}

/**
 * Lays pictures out in rows, each cell as large as the largest picture. With one row it is a strip.
 *
 * @throws {RangeError} If there is no picture.
 */
export function contactSheet(images: readonly Image[], options: SheetOptions = {}): Image {
  const { columns = images.length, gap = 2, background = WHITE } = options;
  if (images.length === 0) throw new RangeError("Cannot lay out a sheet of no pictures");
  const cellWidth = Math.max(...images.map(({ width }) => width)) + gap;
  const cellHeight = Math.max(...images.map(({ height }) => height)) + gap;
  const rows = Math.ceil(images.length / columns);
  const sheet = createImage(
    Math.min(columns, images.length) * cellWidth - gap,
    rows * cellHeight - gap,
  );
  fillRectangle(sheet, { x: 0, y: 0, w: sheet.width, h: sheet.height }, background);
  images.forEach((image, i) => {
    paste(sheet, image, (i % columns) * cellWidth, Math.floor(i / columns) * cellHeight);
  });
  return sheet;
}

function copyOf({ width, height, data }: Image): Image {
  return { width, height, data: data.slice() };
}

function paste(target: Image, { width, height, data }: Image, left: number, top: number): void {
  for (let y = 0; y < height; y++) {
    const row = data.subarray(3 * y * width, 3 * (y + 1) * width);
    target.data.set(row, 3 * ((top + y) * target.width + left));
  }
}

function paintText(target: Image, text: string, options: TextOptions): void {
  const { x = 2, y = 2, color = WHITE, scale = 1 } = options;
  const w = scale * (text.length * GLYPH_WIDTH + 1), h = scale * (GLYPH_HEIGHT + 1);
  fillRectangle(target, { x, y, w, h }, BLACK);
  [...text].forEach((character, index) => {
    for (let row = 0; row < GLYPH_HEIGHT; row++) {
      for (let column = 0; column < GLYPH_WIDTH - 1; column++) {
        if (!hasDot(character, column, row)) continue;
        const dotX = x + scale * (1 + index * GLYPH_WIDTH + column);
        fillRectangle(target, { x: dotX, y: y + scale * (1 + row), w: scale, h: scale }, color);
      }
    }
  });
}

interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

function fillRectangle({ width, height, data }: Image, box: Rectangle, color: Color): void {
  const right = Math.min(width, box.x + box.w), bottom = Math.min(height, box.y + box.h);
  for (let y = Math.max(0, box.y); y < bottom; y++) {
    for (let x = Math.max(0, box.x); x < right; x++) data.set(color, 3 * (y * width + x));
  }
}
