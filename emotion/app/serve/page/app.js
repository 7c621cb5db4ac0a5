// The page: images and the camera go to the server, what it answers goes to the view.

import { Camera, NoCamera } from "./camera.js";
import { describeModel, pause, predict, track, Trouble } from "./client.js";
import { Glide } from "./glide.js";
import { percent, View } from "./view.js";

const POLL = 1500; // milliseconds between two looks whether the server is back
const SPEAK = 4; // seconds between two labels that a screen reader is told of the camera

const element = (id) => document.getElementById(id);
const view = new View();
const camera = new Camera(element("video"));

let model = null;
let mode = "image"; // or camera
let image = null; // the file that was read last
let underWay = new AbortController(); // what is being read now
let waiting = null; // for a server that is gone

const ANOTHER = { label: "Choose another image", run: () => element("file").click() };
const AGAIN = { label: "Try again", run: () => startCamera() };

const TROUBLES = {
  gone: { title: "The server is gone", text: "Start it again in its terminal: emotion serve. This page then goes on by itself." },
  large: { title: "This image is too large", text: "", action: ANOTHER },
  unreadable: { title: "This cannot be read as an image", text: "", action: ANOTHER },
  busy: { title: "The server is busy", text: "Others are sending images as well. Try again in a moment.", action: ANOTHER },
  failed: { title: "The server failed on this image", text: "", action: ANOTHER },
};

const NO_CAMERA = {
  insecure: {
    title: "No camera at this address",
    text: "Browsers give the camera only to pages at localhost or over HTTPS. Open this page on the machine that serves it.",
  },
  refused: {
    title: "The camera is not allowed",
    text: "Allow it for this page, by the sign beside the address, then try again. Its frames go to this server only.",
    action: AGAIN,
  },
  absent: { title: "No camera found", text: "Connect one, then try again. Images work without.", action: AGAIN },
  taken: { title: "The camera is taken", text: "Another program has it. Close that, then try again.", action: AGAIN },
  lost: { title: "The camera is gone", text: "It was switched off or pulled out. Connect it, then try again.", action: AGAIN },
};

// Images

async function readImage(file) {
  stopCamera();
  underWay = new AbortController();
  const { signal } = underWay;
  image = file;
  view.clearNotice();
  view.clearFaces("Looking…", "");
  view.busy("Looking for faces…");
  try {
    if (file.size > model?.limits.upload_bytes) throw new Trouble("large", tooLarge(file));
    const bitmap = await showable(file);
    if (signal.aborted) return;
    if (bitmap) showImage(bitmap, bitmap);
    const answer = await predict(file, signal);
    if (!bitmap) showImage(null, answer);
    showAnswer(answer, bitmap);
  } catch (error) {
    if (!signal.aborted) showTrouble(error);
  } finally {
    if (!signal.aborted) view.busy(null);
  }
}

/** Return the image as the browser shows it, null where it cannot. */
async function showable(file) {
  try {
    return await createImageBitmap(file);
  } catch {
    return null;
  }
}

function showImage(bitmap, size) {
  view.show("image");
  view.draw(bitmap, size);
  element("another").hidden = false;
}

function showAnswer(answer, bitmap) {
  view.setSize(answer);
  const faces = answer.faces.map((face, id) => ({ id, ...face }));
  if (!faces.length) {
    showNoFace(answer);
    return;
  }
  view.showFaces(faces, (id) => view.choose(id));
  view.say(spoken(faces));
  if (!bitmap) {
    view.notice({ title: "Read, but not to be shown", text: "This browser cannot show images of this kind.", low: true });
  }
}

function showNoFace({ width, height }) {
  view.clearFaces("No face", `Looked at ${width} × ${height} pixels.`);
  view.say("No face found");
  view.notice({
    title: "No face found",
    text: `What looks for faces knows them from the front, upright, and at least ${model?.smallest ?? 40} pixels wide.`,
    low: true,
  });
}

function spoken(faces) {
  const list = faces.slice(0, 5).map((face) => `${face.emotion} ${percent(face.confidence)}`);
  return `${faces.length === 1 ? "One face" : `${faces.length} faces`}: ${list.join(", ")}`;
}

function tooLarge(file) {
  const mebibytes = (bytes) => `${(bytes / 2 ** 20).toFixed(1).replace(/\.0$/, "")} MiB`;
  return `It has ${mebibytes(file.size)}, and the server takes ${mebibytes(model.limits.upload_bytes)}.`;
}

function showTrouble(error) {
  const kind = error instanceof Trouble ? error.kind : "failed";
  const detail = error instanceof Trouble ? error.detail : error.message;
  const trouble = TROUBLES[kind];
  if (kind === "gone") {
    waitForServer();
  } else {
    image = null;
    view.show("nothing");
    element("another").hidden = true;
  }
  view.clearFaces(kind === "gone" ? "No answer" : "Nothing to read", "");
  view.notice({ ...trouble, text: trouble.text || sentence(detail), trouble: true, low: kind === "gone" && !element("frame").hidden });
}

/** Server's details begin small and without a full stop. */
function sentence(text) {
  const start = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(start) ? start : `${start}.`;
}

/** Resolve once the server answers again; whoever asks meanwhile waits for the same answer. */
function waitForServer() {
  waiting ??= askUntilBack().finally(() => {
    waiting = null;
  });
  return waiting;
}

async function askUntilBack() {
  for (;;) {
    await pause(POLL);
    try {
      model = await describeModel();
      break;
    } catch {
      // still gone
    }
  }
  view.describe(model);
  view.clearNotice();
  if (mode === "camera") return;
  if (image) readImage(image);
  else view.show("nothing");
}

// The camera

async function startCamera() {
  underWay.abort();
  underWay = new AbortController();
  const { signal } = underWay;
  mode = "camera";
  view.setMode(mode);
  view.clearNotice();
  view.clearFaces("Waiting", "The browser asks whether this page may use the camera.");
  view.busy("Waiting for the camera…");
  try {
    await camera.start(() => loseCamera(signal));
    if (signal.aborted) return;
    element("another").hidden = true;
    view.show("camera");
    view.setMirrored(element("mirror").getAttribute("aria-pressed") === "true");
    await trackCamera(signal);
  } catch (error) {
    if (!signal.aborted) showNoCamera(error instanceof NoCamera ? error.kind : "absent");
  } finally {
    if (!signal.aborted) view.busy(null);
  }
}

/** Have the server track the faces of one frame after the other, and let their boxes glide between the answers. */
async function trackCamera(signal) {
  const session = crypto.randomUUID();
  const glide = new Glide();
  const times = [];
  view.busy("Reading the first frame…");
  animate(glide, signal);
  while (!signal.aborted) {
    await camera.nextFrame();
    const answer = await trackFrame(session, signal);
    if (!answer || signal.aborted) continue;
    const now = performance.now() / 1000;
    glide.update(answer.faces.map((face) => ({ id: face.number, ...face })), now);
    showFrame(answer, glide.at(now));
    view.setPace(pace(times, now));
  }
}

async function trackFrame(session, signal) {
  try {
    const seconds = performance.now() / 1000;
    const blob = await camera.grab();
    return blob && (await track(blob, session, seconds, signal));
  } catch (error) {
    if (signal.aborted) return null;
    view.busy(null);
    showTroubleLive(error);
    await waitForServer();
    return null;
  }
}

function showTroubleLive(error) {
  const trouble = TROUBLES[error instanceof Trouble ? error.kind : "failed"];
  view.clearFaces("No answer", "");
  view.notice({ ...trouble, text: trouble.text || sentence(error.message), action: null, trouble: true, low: true });
}

function showFrame(answer, faces) {
  view.busy(null);
  view.setSize(answer);
  if (faces.length) view.showFaces(faces, (id) => view.choose(id));
  else view.clearFaces("No face in view", "Look at the camera; the face should be upright and in the light.");
  sayNow(faces);
}

let saidAt = 0;

function sayNow(faces) {
  const now = performance.now() / 1000;
  if (now - saidAt < SPEAK) return;
  saidAt = now;
  view.say(faces.length ? faces.map((face) => face.emotion).join(", ") : "No face in view");
}

function animate(glide, signal) {
  requestAnimationFrame((now) => {
    if (signal.aborted) return;
    view.moveFaces(glide.at(now / 1000));
    animate(glide, signal);
  });
}

/** Return how many frames were read in the last two seconds, a second. `times` keeps when. */
function pace(times, now) {
  times.push(now);
  while (now - times[0] > 2) times.shift();
  return times.length < 2 ? 0 : (times.length - 1) / (now - times[0]);
}

function stopCamera() {
  underWay.abort();
  camera.stop();
  mode = "image";
  view.setMode(mode);
}

function loseCamera(signal) {
  if (signal.aborted) return;
  underWay.abort();
  view.busy(null);
  showNoCamera("lost");
}

function showNoCamera(kind) {
  camera.stop();
  for (const part of ["mirror", "pace"]) element(part).hidden = true;
  view.show("nothing");
  view.clearFaces("No camera", "");
  view.notice({ ...NO_CAMERA[kind], trouble: true });
}

/** Go back from the camera to the last image, or to the invitation. */
function showImages() {
  if (image) {
    readImage(image);
    return;
  }
  stopCamera();
  view.busy(null);
  view.clearNotice();
  view.show("nothing");
  if (model) view.describe(model);
}

// What people do

function takeFiles(files, where) {
  const file = files[0];
  if (file) {
    readImage(file);
    return;
  }
  view.notice({
    title: where === "drop" ? "That was no file" : "No image on the clipboard",
    text: "Drop or choose an image's file. Links are not followed: this page fetches nothing from elsewhere.",
    action: ANOTHER,
  });
}

function listen() {
  const file = element("file");
  file.addEventListener("change", () => {
    if (file.files.length) readImage(file.files[0]);
    file.value = "";
  });
  for (const id of ["choose", "another"]) element(id).addEventListener("click", () => file.click());
  element("image-mode").addEventListener("click", () => mode === "camera" && showImages());
  element("camera-mode").addEventListener("click", () => mode === "image" && startCamera());
  element("use-camera").addEventListener("click", startCamera);
  element("mirror").addEventListener("click", () => {
    view.setMirrored(element("mirror").getAttribute("aria-pressed") !== "true");
  });
  document.addEventListener("paste", (event) => takeFiles(event.clipboardData.files, "paste"));
  document.addEventListener("keydown", chooseByKey);
  listenForDrops();
}

function chooseByKey(event) {
  const steps = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!steps || event.ctrlKey || event.metaKey || event.altKey) return;
  view.chooseNext(steps);
}

function listenForDrops() {
  let inside = 0; // elements entered and not left: entering a child comes before leaving its parent
  const mark = (change) => {
    inside = Math.max(0, inside + change);
    document.body.classList.toggle("receiving", inside > 0);
  };
  document.addEventListener("dragenter", () => mark(1));
  document.addEventListener("dragleave", () => mark(-1));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    mark(-Infinity);
    takeFiles(event.dataTransfer.files, "drop");
  });
}

function namePlace() {
  if (["localhost", "127.0.0.1", "[::1]"].includes(location.hostname)) return;
  for (const place of document.querySelectorAll(".place")) place.textContent = location.hostname;
}

async function begin() {
  listen();
  namePlace();
  try {
    model = await describeModel();
    view.describe(model);
  } catch (error) {
    showTrouble(error);
  }
}

begin();
