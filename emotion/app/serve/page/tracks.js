// Faces from frame to frame: each keeps its number, and its box and probabilities move without jumps.

const BOX_SECONDS = 0.07; // in which a box has gone most of the way to where the face is now
const PROBABILITY_SECONDS = 0.3; // in which a probability has; one frame alone changes little
const LOST_SECONDS = 0.6; // after which a face that was not found again is gone
const SURE = 2; // frames in which a face is to be found before it counts: many a thing looks like one for a moment
const LEAST_OVERLAP = 0.2; // of two boxes, intersection over union, to be the same face's

export class Tracks {
  #tracks = [];
  #last = 0;
  #moved = 0;

  /** Take in the faces of a new frame. `seconds` is a time on any clock. */
  update(faces, seconds) {
    const free = [...faces];
    for (const track of this.#tracks) {
      const face = takeNearest(free, track.target);
      if (face) follow(track, face, seconds);
    }
    this.#tracks = this.#tracks.filter((track) => seconds - track.seen < LOST_SECONDS);
    for (const face of free) {
      this.#last += 1;
      this.#tracks.push({ id: this.#last, ...face, target: face.box, seen: seconds, times: 1 });
    }
  }

  /** Move the boxes towards where the faces are, and return the faces, those that were found first before others. */
  step(seconds) {
    const share = approach(seconds - this.#moved, BOX_SECONDS);
    this.#moved = seconds;
    for (const track of this.#tracks) {
      track.box = mix(track.box, track.target, share);
    }
    return this.#tracks.filter((track) => track.times >= SURE);
  }
}

function follow(track, face, seconds) {
  const share = approach(seconds - track.seen, PROBABILITY_SECONDS);
  track.probabilities = mix(track.probabilities, face.probabilities, share);
  track.emotion = emotionOf(track.probabilities, face);
  track.confidence = track.probabilities[track.emotion];
  track.target = face.box;
  track.seen = seconds;
  track.times += 1;
}

/** Of two emotions the server decides, since its threshold need not be a half. */
function emotionOf(probabilities, face) {
  const names = Object.keys(probabilities);
  if (names.length === 2) return face.emotion;
  return names.reduce((best, name) => (probabilities[name] > probabilities[best] ? name : best));
}

/** The share of the way gone in `elapsed` seconds when most of it takes `seconds`. */
function approach(elapsed, seconds) {
  return 1 - Math.exp(-Math.max(0, elapsed) / seconds);
}

/** Both are objects of numbers with the same names. */
function mix(from, to, share) {
  return Object.fromEntries(Object.entries(to).map(([name, value]) => [name, from[name] + share * (value - from[name])]));
}

/** Take the face that overlaps `box` most out of `faces`, and return it. */
function takeNearest(faces, box) {
  const overlaps = faces.map((face) => overlap(face.box, box));
  const best = overlaps.indexOf(Math.max(...overlaps));
  return best >= 0 && overlaps[best] >= LEAST_OVERLAP ? faces.splice(best, 1)[0] : null;
}

function overlap(one, other) {
  const width = Math.min(one.x + one.width, other.x + other.width) - Math.max(one.x, other.x);
  const height = Math.min(one.y + one.height, other.y + other.height) - Math.max(one.y, other.y);
  const shared = Math.max(0, width) * Math.max(0, height);
  return shared / (one.width * one.height + other.width * other.height - shared);
}
