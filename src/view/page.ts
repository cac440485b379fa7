/** The page of the live view; it takes nothing from anywhere else. */
export const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Tracking</title>
<style>
  body { margin: 0; background: #16181c; color: #e8e8e8; font: 15px/1.4 system-ui, sans-serif; }
  main { display: grid; justify-items: center; gap: 10px; padding: 16px; }
  canvas { max-width: 100%; max-height: 80vh; background: #000; touch-action: none; }
  canvas.choosing { cursor: crosshair; outline: 2px solid #ffb000; }
  #state { min-height: 1.4em; }
  #figures { font-variant-numeric: tabular-nums; color: #a9b0ba; }
  button { font: inherit; padding: 4px 16px; }
</style>
</head>
<body>
<main>
  <div id="state">Connecting …</div>
  <canvas id="picture" width="640" height="360"></canvas>
  <div id="figures"></div>
  <button id="start" hidden>Track this box</button>
</main>
<script>
const canvas = document.getElementById("picture"), context = canvas.getContext("2d");
const state = document.getElementById("state"), figures = document.getElementById("figures");
const start = document.getElementById("start");
let picture, told, chosen, corner, choosing = false;

function draw() {
  if (!picture) return;
  canvas.width = picture.width;
  canvas.height = picture.height;
  context.drawImage(picture, 0, 0);
  const box = choosing ? chosen : told && told.box;
  if (!box) return;
  context.lineWidth = Math.max(2, picture.width / 300);
  context.strokeStyle = choosing ? "#ffb000" : "#32e05c";
  context.strokeRect(box[0], box[1], box[2], box[3]);
}

const at = (event) => {
  const area = canvas.getBoundingClientRect();
  const clamp = (value, most) => Math.min(Math.max(value, 0), most);
  return [
    clamp((event.clientX - area.left) * canvas.width / area.width, canvas.width),
    clamp((event.clientY - area.top) * canvas.height / area.height, canvas.height),
  ];
};
canvas.onpointerdown = (event) => {
  if (!choosing) return;
  canvas.setPointerCapture(event.pointerId);
  corner = at(event);
};
canvas.onpointermove = (event) => {
  if (!corner) return;
  const [x, y] = at(event);
  chosen = [Math.min(x, corner[0]), Math.min(y, corner[1]), Math.abs(x - corner[0]), Math.abs(y - corner[1])];
  draw();
};
canvas.onpointerup = () => {
  corner = undefined;
  start.hidden = !(chosen && chosen[2] >= 2 && chosen[3] >= 2);
};
start.onclick = () => {
  socket.send(JSON.stringify({ box: chosen }));
  setChoosing(false);
  state.textContent = "Starting …";
};

function setChoosing(on) {
  choosing = on;
  canvas.className = on ? "choosing" : "";
  start.hidden = true;
  if (on) state.textContent = "Draw a box around the target with the mouse";
}

const socket = new WebSocket("ws://" + location.host + "/stream");
socket.binaryType = "arraybuffer";
socket.onmessage = async ({ data }) => {
  if (typeof data === "string") {
    told = JSON.parse(data);
    if (told.kind === "choose") { chosen = undefined; setChoosing(true); }
    if (told.kind === "frame") {
      state.textContent = "Tracking";
      figures.textContent = "frame " + told.index + "   score " + told.score.toFixed(3) +
        "   " + told.framesPerSecond.toFixed(1) + " frames/s";
    }
    if (told.kind === "end") state.textContent = "The end, after " + told.frames + " frames";
    return;
  }
  const forFrame = told;
  picture = await createImageBitmap(new Blob([data], { type: "image/jpeg" }));
  if (forFrame === told || choosing) draw();
  socket.send(JSON.stringify({ shown: true }));
};
socket.onclose = () => {
  if (!state.textContent.startsWith("The end")) state.textContent = "The program has ended";
  setChoosing(false);
};
</script>
</body>
</html>
`;
