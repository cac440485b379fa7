import type { ReplayFrame, ReplaySequence } from "./replay_data.ts";

/**
 * Plays boxes against truth in a page. Its text goes into the page as it stands, so it uses nothing
 * from outside but the browser.
 *
 * @param colors One a tracker, in the order of `trackers`.
 */
export function startReplay(
  sequences: readonly ReplaySequence[],
  { trackers, colors }: { trackers: readonly string[]; colors: readonly string[] },
): void {
  const find = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
  const select = find<HTMLSelectElement>("replay-sequence");
  const slider = find<HTMLInputElement>("replay-frame");
  const button = find<HTMLButtonElement>("replay-play");
  const canvas = find<HTMLCanvasElement>("replay-canvas");
  const note = find<HTMLElement>("replay-note");
  const legend = find<HTMLElement>("replay-legend");
  const context = canvas.getContext("2d")!;
  const words = ["no answer", "start", "failure"];
  const shown = new Set(trackers);
  const truthColor = "#ffffff";
  let sequence = sequences[0], scale = 1;
  let picture: HTMLImageElement | undefined;
  let timer: ReturnType<typeof setInterval> | undefined;

  for (const { name } of sequences) select.add(new Option(name));
  trackers.forEach((name, i) => {
    const label = document.createElement("label"), box = document.createElement("input");
    box.type = "checkbox";
    box.checked = true;
    box.onchange = () => {
      if (box.checked) shown.add(name);
      else shown.delete(name);
      draw();
    };
    const state = document.createElement("span");
    state.id = `replay-state-${i}`;
    label.style.color = colors[i];
    label.append(box, ` ${name} `, state);
    legend.append(label);
  });

  /** An edge of another brightness, so that a line shows on any picture. */
  function outline(
    numbers: ReplayFrame,
    { color, edge, line }: { color: string; edge: string; line: number },
  ): void {
    context.beginPath();
    if (numbers.length === 4) context.rect(numbers[0], numbers[1], numbers[2], numbers[3]);
    else {
      for (let i = 0; i < numbers.length; i += 2) context.lineTo(numbers[i], numbers[i + 1]);
      context.closePath();
    }
    context.lineWidth = 1.8 * line;
    context.strokeStyle = edge;
    context.stroke();
    context.lineWidth = line;
    context.strokeStyle = color;
    context.stroke();
  }

  function paint(): void {
    const frame = Number(slider.value), line = Math.max(2, canvas.width / 500) / scale;
    context.fillStyle = "#808080";
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.fillRect(0, 0, sequence.width, sequence.height);
    if (picture?.complete && picture.naturalWidth > 0) context.drawImage(picture, 0, 0);
    trackers.forEach((name, i) => {
      const answer = sequence.runs[name]?.[frame];
      const state = find(`replay-state-${i}`);
      state.textContent = !answer ? "(no result)" : answer.length === 1 ? words[answer[0]] : "";
      if (!answer || answer.length < 2 || !shown.has(name)) return;
      outline(answer, { color: colors[i], edge: "#ffffffb0", line });
    });
    const truth = sequence.truth[frame] ?? [];
    if (truth.length > 1) outline(truth, { color: truthColor, edge: "#000", line });
    const absent = truth.length > 1 ? "" : ", no target";
    note.textContent = `frame ${frame + 1} of ${sequence.truth.length}${absent}`;
  }

  function draw(): void {
    const address = sequence.pictures[Number(slider.value)];
    if (address && picture?.src !== address) {
      picture = new Image();
      picture.onload = paint;
      picture.src = address;
    }
    if (!address) picture = undefined;
    paint();
  }

  function open(): void {
    sequence = sequences[select.selectedIndex];
    // Small pictures are shown larger, so that boxes beside each other can be told apart.
    scale = Math.max(1, Math.floor(1000 / sequence.width));
    canvas.width = scale * sequence.width;
    canvas.height = scale * sequence.height;
    slider.max = String(sequence.truth.length - 1);
    slider.value = "0";
    draw();
  }

  function stop(): void {
    clearInterval(timer);
    timer = undefined;
    button.textContent = "Play";
  }

  function step(): void {
    if (slider.value === slider.max) return stop();
    slider.value = String(Number(slider.value) + 1);
    draw();
  }

  button.onclick = () => {
    if (timer) return stop();
    if (slider.value === slider.max) slider.value = "0";
    timer = setInterval(step, 40);
    button.textContent = "Pause";
  };
  select.onchange = open;
  slider.oninput = draw;
  canvas.onkeydown = ({ key }) => {
    const by = key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0;
    if (by === 0) return;
    slider.value = String(Number(slider.value) + by);
    draw();
  };
  // An address that ends in "#bag/60" opens the sequence at the frame.
  const [, name, frame] = /^#(.+?)(?:\/(\d+))?$/.exec(decodeURIComponent(location.hash)) ?? [];
  select.selectedIndex = Math.max(0, sequences.findIndex((known) => known.name === name));
  open();
  if (frame) {
    slider.value = String(Number(frame) - 1);
    draw();
    canvas.scrollIntoView();
  }
}
