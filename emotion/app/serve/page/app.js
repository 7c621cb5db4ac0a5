// The page: images and frames of the camera go to the server, its answers go to the view.

import { Camera, CameraError } from "./camera.js";
import { describeModel, pause, predict, ServerError, track } from "./client.js";
import { Glide } from "./glide.js";
import { percent, View } from "./view.js";

const POLL_INTERVAL = 1500; // milliseconds between two requests to a server that is gone
const ANNOUNCE_INTERVAL = 4; // seconds between two labels of the camera for screen readers

const element = (id) => document.getElementById(id);
const view = new View();
const camera = new Camera(element("video"));

let model = null;
let mode = "image"; // or camera
let image = null; // the file that was chosen last
let pending = new AbortController(); // ends the prediction that is under way
let serverIsBack = null; // resolves once a server that is gone answers again

const ANOTHER = { label: "Choose another image", run: () => element("file").click() };
const AGAIN = { label: "Try again", run: () => startCamera() };

const SERVER_ERRORS = {
  gone: { title: "The server is gone", text: "Start it again in its terminal: emotion serve. This page then goes on by itself." },
  large: { title: "This image is too large", text: "", action: ANOTHER },
  unreadable: { title: "This cannot be read as an image", text: "", action: ANOTHER },
  busy: { title: "The server is busy", text: "Others are sending images as well. Try again in a moment.", action: ANOTHER },
  failed: { title: "The server failed on this image", text: "", action: ANOTHER },
};

const CAMERA_ERRORS = {
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

async function predictImage(file) {
  stopCamera();
  pending = new AbortController();
  const { signal } = pending;
  image = file;
  view.clearNotice();
  view.clearFaces("Reading…", "");
  view.busy("Looking for faces…");
  try {
    if (file.size > model?.limits.upload_bytes) throw new ServerError("large", tooLarge(file));
    const bitmap = await decodeForDisplay(file);
    if (signal.aborted) return;
    if (bitmap) showImage(bitmap, bitmap);
    const answer = await predict(file, signal);
    const fits = bitmap?.width === answer.width && bitmap.height === answer.height;
    if (!fits) showImage(null, answer);
    showAnswer(answer, fits);
  } catch (error) {
    if (!signal.aborted) showServerError(error, file.name);
  } finally {
    if (!signal.aborted) view.busy(null);
  }
}

/** Return the image as the browser shows it, null where it cannot. */
async function decodeForDisplay(file) {
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

/** Show the faces. `fits`: the browser shows the image as the server sees it; some turns it does not know. */
function showAnswer(answer, fits) {
  view.setSize(answer);
  const faces = answer.faces.map((face, id) => ({ id, ...face }));
  if (!faces.length) {
    showNoFace(answer);
    return;
  }
  view.showFaces(faces, (id) => view.choose(id));
  view.announce(summarize(faces));
  if (!fits) {
    view.notice({ title: "Read, but not to be shown", text: "This browser cannot show images of this kind.", low: true });
  }
}

function showNoFace({ width, height }) {
  view.clearFaces("No face", `In an image of ${width} × ${height} pixels.`);
  view.announce("No face found");
  view.notice({
    title: "No face found",
    text: `The detector finds faces from the front, upright, and at least ${model?.smallest ?? 40} pixels wide.`,
    low: true,
  });
}

function summarize(faces) {
  const list = faces.slice(0, 5).map((face) => `${face.emotion} ${percent(face.confidence)}`);
  return `${faces.length === 1 ? "One face" : `${faces.length} faces`}: ${list.join(", ")}`;
}

function tooLarge(file) {
  const mebibytes = (bytes) => `${(bytes / 2 ** 20).toFixed(1).replace(/\.0$/, "")} MiB`;
  return `It has ${mebibytes(file.size)}, and the server takes ${mebibytes(model.limits.upload_bytes)}.`;
}

/** Say why there is no answer; `name` is the name of the image's file, where there is one. */
function showServerError(error, name = "") {
  const kind = error instanceof ServerError ? error.kind : "failed";
  const detail = error instanceof ServerError ? error.detail : error.message;
  const message = SERVER_ERRORS[kind];
  if (kind === "gone") {
    waitForServer();
  } else {
    image = null;
    view.show("nothing");
    element("another").hidden = true;
  }
  view.clearFaces(kind === "gone" ? "No answer" : "Nothing to read", "");
  const reason = message.text || sentence(detail);
  const text = name && kind !== "gone" ? `${name}: ${reason}` : reason;
  view.notice({ ...message, text, error: true, low: kind === "gone" && !element("frame").hidden });
}

/** Return a detail of the server's, which begins small and has no full stop, as a sentence. */
function sentence(text) {
  const start = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(start) ? start : `${start}.`;
}

/** Resolve once the server answers again; all callers meanwhile wait for the same answer. */
function waitForServer() {
  serverIsBack ??= pollServer().finally(() => {
    serverIsBack = null;
  });
  return serverIsBack;
}

async function pollServer() {
  for (;;) {
    await pause(POLL_INTERVAL);
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
  if (image) predictImage(image);
  else view.show("nothing");
}

// The camera

async function startCamera() {
  pending.abort();
  pending = new AbortController();
  const { signal } = pending;
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
    if (!signal.aborted) showCameraError(error instanceof CameraError ? error.kind : "absent");
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
    view.setFrameRate(frameRate(times, now));
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
    showServerErrorLive(error);
    await waitForServer();
    return null;
  }
}

function showServerErrorLive(error) {
  const message = SERVER_ERRORS[error instanceof ServerError ? error.kind : "failed"];
  view.clearFaces("No answer", "");
  view.notice({ ...message, text: message.text || sentence(error.message), action: null, error: true, low: true });
}

function showFrame(answer, faces) {
  view.busy(null);
  view.setSize(answer);
  if (faces.length) view.showFaces(faces, (id) => view.choose(id));
  else view.clearFaces("No face in view", "Look at the camera; the face should be upright and in the light.");
  announceNow(faces);
}

let announcedAt = 0;

function announceNow(faces) {
  const now = performance.now() / 1000;
  if (now - announcedAt < ANNOUNCE_INTERVAL) return;
  announcedAt = now;
  view.announce(faces.length ? faces.map((face) => face.emotion).join(", ") : "No face in view");
}

function animate(glide, signal) {
  requestAnimationFrame((now) => {
    if (signal.aborted) return;
    view.moveFaces(glide.at(now / 1000));
    animate(glide, signal);
  });
}

/** Return the frames per second of the last two seconds. `times` holds when they came. */
function frameRate(times, now) {
  times.push(now);
  while (now - times[0] > 2) times.shift();
  return times.length < 2 ? 0 : (times.length - 1) / (now - times[0]);
}

function stopCamera() {
  pending.abort();
  camera.stop();
  mode = "image";
  view.setMode(mode);
}

function loseCamera(signal) {
  if (signal.aborted) return;
  pending.abort();
  view.busy(null);
  showCameraError("lost");
}

function showCameraError(kind) {
  camera.stop();
  for (const part of ["mirror", "frame-rate"]) element(part).hidden = true;
  view.show("nothing");
  view.clearFaces("No camera", "");
  view.notice({ ...CAMERA_ERRORS[kind], error: true });
}

/** Go back from the camera to the last image, or to the invitation. */
function showImages() {
  if (image) {
    predictImage(image);
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
    predictImage(file);
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
    if (file.files.length) predictImage(file.files[0]);
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

function nameServer() {
  if (["localhost", "127.0.0.1", "[::1]"].includes(location.hostname)) return;
  for (const part of document.querySelectorAll(".server")) part.textContent = location.hostname;
}

async function begin() {
  listen();
  nameServer();
  try {
    model = await describeModel();
    view.describe(model);
  } catch (error) {
    showServerError(error);
  }
}

begin();
