// What stands on the page: the image with its boxes, the panel with its bars, and messages.

const TAG_GAP = 7; // pixels on the screen between a box and its label
const LONGEST_SIDE = 2048; // pixels of an image as it is shown
const MAX_TILES = 60; // faces in the strip
const TILE_STEP = 68; // pixels from one face of the strip to the next
const DARKEST_FOR_BLACK = 128; // brightness of a color on which black is easier to read than white, as on annotated files

const element = (id) => document.getElementById(id);

export function percent(share) {
  if (share > 0 && share < 0.005) return "<1 %";
  return `${Math.round(100 * share)} %`;
}

export class View {
  #colors = {};
  #bars = new Map();
  #boxes = new Map();
  #tiles = new Map();
  #faces = [];
  #size = { width: 1, height: 1 };
  #mirrored = false;
  #chosen = null;
  #busyTimer = 0;

  constructor() {
    element("earlier-faces").addEventListener("click", () => this.#scrollStrip(-1));
    element("later-faces").addEventListener("click", () => this.#scrollStrip(1));
    element("strip").addEventListener("scroll", () => this.#markSteps(), { passive: true });
    new ResizeObserver(() => this.#markSteps()).observe(element("faces"));
  }

  /** Build what depends on the model: colors, bars, its name and figures. */
  describe(model) {
    this.#colors = Object.fromEntries(model.emotions.map(({ name, color }) => [name, color]));
    for (const card of document.querySelectorAll(".cards [data-emotion]")) this.#paintCard(card);
    element("bars").replaceChildren(...model.emotions.map(({ name }) => this.#makeBar(name)));
    element("model").textContent = `${model.name} · ${model.emotions.length} expressions`;
    element("model").title = model.name;
    element("figures").textContent = describeFigures(model);
    this.clearFaces(`${model.emotions.length} expressions`, "Each face gets a probability for every one of them.");
  }

  // The board

  /** Show the board with an image, with the camera, or empty: what is `image`, `camera` or `nothing`. */
  show(what) {
    element("invitation").hidden = what !== "nothing";
    element("frame").hidden = what === "nothing";
    element("image").hidden = what !== "image";
    element("video").hidden = what !== "camera";
    element("backdrop").hidden = what !== "image";
    element("board").classList.toggle("filled", what !== "nothing");
    document.body.classList.toggle("live", what === "camera");
  }

  setMode(mode) {
    element("image-mode").setAttribute("aria-pressed", mode === "image");
    element("camera-mode").setAttribute("aria-pressed", mode === "camera");
    element("mirror").hidden = mode !== "camera";
    element("frame-rate").hidden = true;
  }

  setMirrored(mirrored) {
    this.#mirrored = mirrored;
    element("frame").classList.toggle("mirrored", mirrored);
    element("mirror").setAttribute("aria-pressed", mirrored);
    this.#place();
  }

  /** Show how many frames per second are read. */
  setFrameRate(frames) {
    element("frame-rate").hidden = false;
    element("frame-rate").textContent = `${Math.round(frames)} fps`;
  }

  /** Draw an image that the browser could read, or a blank of the same size where it could not. */
  draw(bitmap, { width, height }) {
    const canvas = element("image");
    const scale = Math.min(1, LONGEST_SIDE / Math.max(width, height));
    canvas.width = Math.max(1, Math.round(width * scale));
    canvas.height = Math.max(1, Math.round(height * scale));
    if (bitmap) canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    element("frame").classList.toggle("unshowable", !bitmap);
    this.setSize({ width, height });
    this.#drawBackdrop();
  }

  /** Set the size of the image in which boxes are counted. */
  setSize(size) {
    this.#size = size;
    for (const part of [element("frame"), element("board")]) {
      part.style.setProperty("--ratio", size.width / size.height);
    }
  }

  #source() {
    return element("video").hidden ? element("image") : element("video");
  }

  #drawBackdrop() {
    const backdrop = element("backdrop");
    backdrop.getContext("2d").drawImage(element("image"), 0, 0, backdrop.width, backdrop.height);
  }

  // Faces

  /** Show faces, each {id, box, emotion, confidence, probabilities}; `onChoose` gets the id of one that is picked. */
  showFaces(faces, onChoose) {
    this.#faces = faces;
    if (!faces.some((face) => face.id === this.#chosen)) this.#chosen = faces[0]?.id ?? null;
    this.#keep(this.#boxes, element("boxes"), (face) => this.#makeBox(face.id, onChoose));
    element("boxes").classList.toggle("several", faces.length > 1);
    this.#place();
    this.#showStrip(onChoose);
    this.#showChosen();
  }

  /** Move the boxes of the faces that are shown, for the time between two frames. */
  moveFaces(faces) {
    this.#faces = faces.filter((face) => this.#boxes.has(face.id));
    for (const face of this.#faces) this.#placeBox(face);
  }

  choose(id) {
    this.#chosen = id;
    this.#place();
    this.#showChosen();
    this.#markStrip();
  }

  /** Move the choice, and the focus where it is on a face, by `steps` from left to right. */
  chooseNext(steps) {
    const order = [...this.#faces].sort((one, other) => one.box.x - other.box.x).map((face) => face.id);
    if (!order.length) return;
    const place = (order.indexOf(this.#chosen) + steps + order.length) % order.length;
    const focused = element("boxes").contains(document.activeElement);
    this.choose(order[place]);
    if (focused) this.#boxes.get(order[place]).focus();
  }

  /** Show no faces, and in the panel why. */
  clearFaces(title, remark) {
    this.#faces = [];
    this.#chosen = null;
    this.#keep(this.#boxes, element("boxes"), null);
    this.#showStrip(null);
    element("headline").classList.add("waiting");
    element("emotion").textContent = title;
    element("confidence").textContent = "";
    element("remark").textContent = remark;
    this.#setBars(null);
  }

  /** Keep an element for each face: make what is missing, remove what is left over. */
  #keep(elements, parent, make) {
    const ids = new Set(this.#faces.map((face) => face.id));
    for (const [id, old] of elements) {
      if (ids.has(id)) continue;
      old.remove();
      elements.delete(id);
    }
    for (const face of this.#faces) {
      if (elements.has(face.id)) continue;
      elements.set(face.id, make(face));
      parent.append(elements.get(face.id));
    }
  }

  #makeBox(id, onChoose) {
    const box = document.createElement("button");
    box.type = "button";
    box.className = "face";
    box.append(Object.assign(document.createElement("span"), { className: "tag" }));
    box.addEventListener("click", () => onChoose(id));
    box.addEventListener("focus", () => onChoose(id));
    box.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && onChoose(id));
    return box;
  }

  /** Put boxes where their faces are, and labels where they hide neither another label nor another face. */
  #place() {
    for (const face of this.#faces) this.#placeBox(face);
    this.#placeTags();
  }

  #placeBox(face) {
    const box = this.#boxes.get(face.id);
    const { width, height } = this.#size;
    box.style.left = `${(100 * this.#left(face.box)) / width}%`;
    box.style.top = `${(100 * face.box.y) / height}%`;
    box.style.width = `${(100 * face.box.width) / width}%`;
    box.style.height = `${(100 * face.box.height) / height}%`;
    box.setAttribute("aria-pressed", face.id === this.#chosen);
  }

  /** The left side of a box in the image as it is shown. */
  #left(box) {
    const turned = this.#mirrored && document.body.classList.contains("live");
    return turned ? this.#size.width - box.x - box.width : box.x;
  }

  #placeTags() {
    const chosenFirst = [...this.#faces].sort((one, other) => (other.id === this.#chosen) - (one.id === this.#chosen));
    const areas = new Map(this.#faces.map((face) => [face.id, this.#areaOf(face.box)]));
    const tags = [];
    for (const face of chosenFirst) {
      const box = this.#boxes.get(face.id);
      this.#write(box, face);
      const others = chosenFirst.filter((other) => other !== face).map((other) => areas.get(other.id));
      const places = placesOf(areas.get(face.id), box.firstChild, element("frame"));
      const free = places.find(({ area }) => ![...tags, ...others].some((taken) => overlap(taken, area)));
      const unhidden = places.find(({ area }) => !tags.some((taken) => overlap(taken, area)));
      const place = free ?? (face.id === this.#chosen ? unhidden ?? places[0] : null);
      box.firstChild.className = `tag ${(place ?? places[0]).name}`;
      box.classList.toggle("crowded", !place);
      if (place) tags.push(place.area);
    }
  }

  /** A box in pixels of the screen. */
  #areaOf(box) {
    const scale = element("frame").clientWidth / this.#size.width;
    const left = this.#left(box) * scale;
    const top = box.y * scale;
    return { left, top, right: left + box.width * scale, bottom: top + box.height * scale };
  }

  #write(box, face) {
    const text = `${face.emotion} ${percent(face.confidence)}`;
    if (box.firstChild.textContent !== text) {
      box.firstChild.textContent = text;
      box.setAttribute("aria-label", text);
    }
    this.#paint(box, face.emotion);
  }

  // The panel

  #showChosen() {
    const face = this.#faces.find((one) => one.id === this.#chosen);
    if (!face) return;
    element("headline").classList.remove("waiting");
    element("emotion").textContent = face.emotion;
    element("confidence").textContent = percent(face.confidence);
    element("remark").textContent = this.#remark(face);
    this.#setBars(face);
  }

  #remark(face) {
    const [, second] = Object.entries(face.probabilities).sort((one, other) => other[1] - one[1]);
    if (face.confidence < 0.5 && second) return `Not sure: ${second[0]} would be next, ${percent(second[1])}`;
    const which = this.#faces.length > 1 ? `Face ${this.#faces.indexOf(face) + 1} of ${this.#faces.length}` : "One face";
    return `${which}, ${Math.round(face.box.width)} × ${Math.round(face.box.height)} pixels`;
  }

  #makeBar(name) {
    const row = document.createElement("tr");
    const [head, middle, end] = ["th", "td", "td"].map((tag) => document.createElement(tag));
    head.scope = "row";
    head.textContent = name;
    const bar = Object.assign(document.createElement("div"), { className: "bar" });
    const fill = document.createElement("i");
    bar.append(fill);
    middle.append(bar);
    row.append(head, middle, end);
    this.#paint(row, name);
    this.#bars.set(name, { row, fill, end });
    return row;
  }

  #setBars(face) {
    for (const [name, { row, fill, end }] of this.#bars) {
      const share = face?.probabilities[name] ?? 0;
      fill.style.width = `${100 * share}%`;
      end.textContent = face ? percent(share) : "";
      row.classList.toggle("first", name === face?.emotion);
    }
  }

  #showStrip(onChoose) {
    const strip = element("strip");
    element("faces").hidden = this.#faces.length < 2;
    if (element("faces").hidden) {
      strip.replaceChildren();
      this.#tiles.clear();
      return;
    }
    this.#keep(this.#tiles, strip, (face) => this.#makeTile(face.id, onChoose));
    for (const face of this.#faces.slice(0, MAX_TILES)) this.#drawTile(face);
    this.#markSteps();
    this.#markStrip();
  }

  /** Scroll the strip by most of its width, so that one face stays in view. */
  #scrollStrip(direction) {
    const strip = element("strip");
    strip.scrollBy({ left: direction * Math.max(TILE_STEP, strip.clientWidth - TILE_STEP), behavior: "smooth" });
  }

  /** Show whether there are faces beyond the ends of the strip: an arrow, and an edge that fades. */
  #markSteps() {
    const strip = element("strip");
    const earlier = strip.scrollLeft > 1;
    const later = strip.scrollLeft + strip.clientWidth < strip.scrollWidth - 1;
    element("faces").classList.toggle("overflowing", earlier || later);
    strip.classList.toggle("more-before", earlier);
    strip.classList.toggle("more-behind", later);
    element("earlier-faces").setAttribute("aria-disabled", !earlier);
    element("later-faces").setAttribute("aria-disabled", !later);
  }

  #makeTile(id, onChoose) {
    const tile = document.createElement("button");
    tile.type = "button";
    const canvas = Object.assign(document.createElement("canvas"), { width: 108, height: 108 });
    tile.append(canvas);
    tile.addEventListener("click", () => onChoose(id));
    return tile;
  }

  #drawTile(face) {
    const tile = this.#tiles.get(face.id);
    const source = this.#source();
    const scale = (source.videoWidth || source.width) / this.#size.width;
    const { x, y, width, height } = face.box;
    tile.firstChild.getContext("2d").drawImage(source, x * scale, y * scale, width * scale, height * scale, 0, 0, 108, 108);
    tile.setAttribute("aria-label", `${face.emotion} ${percent(face.confidence)}`);
    this.#paint(tile, face.emotion);
  }

  #markStrip() {
    for (const [id, tile] of this.#tiles) tile.setAttribute("aria-pressed", id === this.#chosen);
    const tile = this.#tiles.get(this.#chosen);
    const strip = element("strip");
    if (tile && (tile.offsetLeft < strip.scrollLeft || tile.offsetLeft + 60 > strip.scrollLeft + strip.clientWidth)) {
      strip.scrollLeft = tile.offsetLeft - strip.clientWidth / 2;
    }
  }

  // Colors

  #paint(part, emotion) {
    if (part.dataset.painted === emotion) return;
    part.dataset.painted = emotion;
    const color = this.#colors[emotion] ?? "#777777";
    part.style.setProperty("--color", color);
    part.style.setProperty("--on-color", textColor(color));
  }

  #paintCard(card) {
    const color = this.#colors[card.dataset.emotion];
    if (!color) return;
    card.style.color = color;
    card.style.setProperty("--on-card", textColor(color));
  }

  // Messages

  /** Show that the page is waiting, once that takes longer than people notice. */
  busy(text) {
    clearTimeout(this.#busyTimer);
    element("busy").hidden = true;
    if (!text) return;
    this.#busyTimer = setTimeout(() => {
      element("busy-text").textContent = text;
      element("busy").hidden = false;
    }, 180);
  }

  /** Show a notice: {title, text, error, low, action: {label, run}}; `low` leaves the image to be seen. */
  notice({ title, text, error = false, low = false, action = null }) {
    const notice = element("notice");
    element("notice-title").textContent = title;
    element("notice-text").textContent = text;
    notice.classList.toggle("error", error);
    notice.classList.toggle("low", low);
    const button = element("notice-action");
    button.hidden = !action;
    button.textContent = action?.label ?? "";
    button.onclick = action?.run ?? null;
    if (!low) element("invitation").hidden = true;
    notice.hidden = false;
  }

  clearNotice() {
    element("notice").hidden = true;
  }

  /** Have screen readers read `text` out. */
  announce(text) {
    if (element("announcement").textContent !== text) element("announcement").textContent = text;
  }
}

/** Where a label may stand: above its box, below it, or inside; within the frame. The classes of style.css say how. */
function placesOf(box, tag, frame) {
  const { offsetWidth: width, offsetHeight: height } = tag;
  const end = box.left + width > frame.clientWidth;
  const left = end ? box.right - width : box.left;
  const place = (name, top) => ({ name: end ? `${name} end` : name, area: { left, top, right: left + width, bottom: top + height } });
  const places = [
    place("above", box.top - TAG_GAP - height),
    place("below", box.bottom + TAG_GAP),
    place("inside", box.top + TAG_GAP),
  ];
  const within = places.filter(({ area }) => area.top >= 0 && area.bottom <= frame.clientHeight);
  const large = box.right - box.left > width && box.bottom - box.top > 4 * height;
  const usable = large ? within : within.filter((one) => one.area.bottom <= box.top || one.area.top >= box.bottom);
  return usable.length ? usable : places.slice(-1);
}

function overlap(one, other) {
  return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
}

function describeFigures({ figures, size, color }) {
  const input = `It gets each face as ${size} × ${size} ${color === "grayscale" ? "grayscale" : "colored"} pixels.`;
  if (!figures) return input;
  const images = figures.images.toLocaleString("en");
  return `On ${images} images that it was not trained on, this model agreed with people on ${percent(figures.accuracy)}. ${input}`;
}

function textColor(color) {
  const [red, green, blue] = [1, 3, 5].map((start) => parseInt(color.slice(start, start + 2), 16));
  return 0.299 * red + 0.587 * green + 0.114 * blue > DARKEST_FOR_BLACK ? "#000000" : "#ffffff";
}
