// Boxes that glide between answers: each moves from where it is shown to where the newest answer has it.

export class Glide {
  #faces = []; // of the newest answer
  #starts = new Map(); // by id, the boxes as they were shown when that answer came
  #since = 0; // when it came, in seconds
  #duration = 0; // seconds between it and the answer before, which the next one is likely to take as well

  /** Take in the faces of an answer, each {id, box, …}, at the time `seconds` of any clock. */
  update(faces, seconds) {
    this.#starts = new Map(this.at(seconds).map(({ id, box }) => [id, box]));
    this.#duration = seconds - this.#since;
    this.#since = seconds;
    this.#faces = faces;
  }

  /** Return the faces with their boxes as they are to be shown at the time `seconds`. */
  at(seconds) {
    const elapsed = Math.max(0, seconds - this.#since); // the time of an animation frame may lie before the answer's
    const share = elapsed < this.#duration ? elapsed / this.#duration : 1;
    return this.#faces.map((face) => ({ ...face, box: between(this.#starts.get(face.id) ?? face.box, face.box, share) }));
  }
}

/** Return the box that has gone `share` of the way from one to another. */
function between(from, to, share) {
  return Object.fromEntries(Object.entries(to).map(([name, value]) => [name, from[name] + share * (value - from[name])]));
}
