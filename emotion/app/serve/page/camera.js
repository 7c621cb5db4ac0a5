// The camera: switched on, read frame by frame, switched off.

const LONGEST_SIDE = 480; // pixels of a frame as it is sent: enough for faces before a screen, and detected faster than in more
const QUALITY = 0.9; // of its JPEG file, 0 to 1

/** Why there is no camera. `kind`: insecure, refused, absent, taken or lost. */
export class CameraError extends Error {
  constructor(kind) {
    super(kind);
    this.kind = kind;
  }
}

const KINDS = {
  NotAllowedError: "refused",
  SecurityError: "refused",
  NotFoundError: "absent",
  OverconstrainedError: "absent",
  NotReadableError: "taken",
  AbortError: "taken",
};

export class Camera {
  #video;
  #canvas = document.createElement("canvas");
  #stream = null;

  constructor(video) {
    this.#video = video;
  }

  /** Switch the camera on and show it; `onLost` is called when it goes away by itself. */
  async start(onLost) {
    if (!navigator.mediaDevices?.getUserMedia) throw new CameraError("insecure");
    this.stop();
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({
        audio: false,
        video: { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 720 } },
      });
    } catch (error) {
      throw new CameraError(KINDS[error.name] ?? "absent");
    }
    this.#stream.getVideoTracks()[0].addEventListener("ended", onLost);
    this.#video.srcObject = this.#stream;
    await this.#video.play();
  }

  /** Switch it off. */
  stop() {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.#video.srcObject = null;
  }

  /** Resolve when there is a frame that was not there before. */
  nextFrame() {
    return new Promise((resolve) => {
      if (this.#video.requestVideoFrameCallback) this.#video.requestVideoFrameCallback(resolve);
      else requestAnimationFrame(resolve);
    });
  }

  /** Return the frame of this moment as a JPEG file in a Blob. It is never mirrored. */
  grab() {
    const { videoWidth, videoHeight } = this.#video;
    const scale = Math.min(1, LONGEST_SIDE / Math.max(videoWidth, videoHeight));
    this.#canvas.width = Math.round(videoWidth * scale);
    this.#canvas.height = Math.round(videoHeight * scale);
    this.#canvas.getContext("2d").drawImage(this.#video, 0, 0, this.#canvas.width, this.#canvas.height);
    return new Promise((resolve) => {
      this.#canvas.toBlob(resolve, "image/jpeg", QUALITY);
    });
  }
}
