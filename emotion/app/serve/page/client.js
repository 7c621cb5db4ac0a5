// The server's API. No other module of the page sends requests.

const TIMEOUT = 60; // seconds for one image, on a slow machine
const MAX_ATTEMPTS = 6; // of an image that the server is too busy for

/** Why there is no prediction for an image. `kind`: gone, large, unreadable, busy or failed. */
export class ServerError extends Error {
  constructor(kind, detail = "") {
    super(detail || kind);
    this.kind = kind;
    this.detail = detail;
  }
}

/** Return the answer of /api/model: the model and the server's limits. */
export async function describeModel() {
  const response = await request("/api/model", { signal: AbortSignal.timeout(5000) });
  if (!response.ok) throw new ServerError("failed", await readDetail(response));
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
    if (!busy || attempt === MAX_ATTEMPTS) throw new ServerError(kindOf(response.status), await readDetail(response));
    await pause(1000 * Number(response.headers.get("Retry-After") || 1), signal);
  }
}

/** Resolve after `milliseconds`; reject at once when `signal` is aborted. */
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
  // The type of a file is often wrong. The server decides by the bytes.
  const type = blob.type.startsWith("image/") ? blob.type : "image/unknown";
  const limits = [AbortSignal.timeout(1000 * TIMEOUT), ...(signal ? [signal] : [])];
  return request(address, {
    method: "POST",
    headers: { "Content-Type": type },
    body: blob,
    signal: AbortSignal.any(limits),
  });
}

async function request(address, options) {
  try {
    return await fetch(address, { cache: "no-store", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServerError("gone");
  }
}

function kindOf(status) {
  if (status === 413) return "large";
  if (status === 400 || status === 415 || status === 422) return "unreadable";
  return status === 429 || status === 503 ? "busy" : "failed";
}

async function readDetail(response) {
  try {
    return (await response.json()).detail;
  } catch {
    return `The server answered with ${response.status}.`;
  }
}
