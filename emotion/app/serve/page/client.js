// The server's API. Nothing else on this page talks to anything.

const SECONDS = 60; // for one image, on a slow machine
const TRIES = 6; // of an image that the server is too busy for

/** What keeps an image from being read. `kind`: gone, large, unreadable, busy or failed. */
export class Trouble extends Error {
  constructor(kind, detail = "") {
    super(detail || kind);
    this.kind = kind;
    this.detail = detail;
  }
}

/** Return what /api/model says of the model and the server's limits. */
export async function describeModel() {
  const response = await ask("/api/model", { signal: AbortSignal.timeout(5000) });
  if (!response.ok) throw new Trouble("failed", await detailOf(response));
  return response.json();
}

/** Return {width, height, faces} of an image in a Blob. */
export function predict(blob, signal) {
  return send("/api/predict", blob, signal);
}

/** Return {width, height, faces} of a camera's next frame in a Blob. Faces keep their `number` within a session. */
export function track(blob, session, seconds, signal) {
  return send(`/api/track?${new URLSearchParams({ session, seconds })}`, blob, signal);
}

/** Return what the server answers to an image in a Blob; wait and try again while it is too busy. */
async function send(address, blob, signal) {
  for (let attempt = 1; ; attempt += 1) {
    const response = await post(address, blob, signal);
    if (response.ok) return response.json();
    const busy = response.status === 429 || response.status === 503;
    if (!busy || attempt === TRIES) throw new Trouble(kindOf(response.status), await detailOf(response));
    await pause(1000 * Number(response.headers.get("Retry-After") || 1), signal);
  }
}

/** Resolve after `milliseconds`; reject at once when `signal` is given up. */
export function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

function post(address, blob, signal) {
  // What an image is, its bytes say; names and types of files are often wrong. The server reads the bytes.
  const type = blob.type.startsWith("image/") ? blob.type : "image/unknown";
  const limits = [AbortSignal.timeout(1000 * SECONDS), ...(signal ? [signal] : [])];
  return ask(address, {
    method: "POST",
    headers: { "Content-Type": type },
    body: blob,
    signal: AbortSignal.any(limits),
  });
}

async function ask(address, options) {
  try {
    return await fetch(address, { cache: "no-store", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Trouble("gone");
  }
}

function kindOf(status) {
  if (status === 413) return "large";
  if (status === 400 || status === 415 || status === 422) return "unreadable";
  return status === 429 || status === 503 ? "busy" : "failed";
}

async function detailOf(response) {
  try {
    return (await response.json()).detail;
  } catch {
    return `The server answered with ${response.status}.`;
  }
}
