// Decisions on suspect labels: by keys or buttons, kept by the browser, saved as decisions.csv.

const { name, emotions, colors, suspects } = JSON.parse(document.getElementById("data").textContent);
const STORE = `emotion-labels-${name}`;
const HEADER = "hash,given,decision,emotion,note";

const decisions = load();
let place = Math.max(0, firstUndecided());

function element(id) {
  return document.getElementById(id);
}

// Returns what the browser kept of an earlier visit: by hash, a decision and an emotion.
function load() {
  try {
    return new Map(Object.entries(JSON.parse(localStorage.getItem(STORE) ?? "{}")));
  } catch {
    return new Map();
  }
}

function keep() {
  try {
    localStorage.setItem(STORE, JSON.stringify(Object.fromEntries(decisions)));
  } catch {
    element("warning").hidden = false;
  }
}

function firstUndecided() {
  return suspects.findIndex((suspect) => !decisions.has(suspect.hash));
}

// Decides on the image that is shown, and shows the next one. An emotion that is the label confirms it.
function decide(decision, emotion = "") {
  const suspect = suspects[place];
  if (!suspect) {
    return;
  }
  const right = decision === "change" && emotion === suspect.given;
  decisions.set(suspect.hash, right ? { decision: "confirm", emotion: "" } : { decision, emotion });
  keep();
  move(1);
}

function undecide() {
  if (suspects[place]) {
    decisions.delete(suspects[place].hash);
    keep();
    show();
  }
}

function move(steps) {
  place = Math.min(Math.max(place + steps, 0), suspects.length);
  show();
}

function toCsv() {
  const rows = suspects
    .filter((suspect) => decisions.has(suspect.hash))
    .map((suspect) => {
      const { decision, emotion } = decisions.get(suspect.hash);
      return [suspect.hash, suspect.given, decision, emotion, ""].join(",");
    });
  return [HEADER, ...rows, ""].join("\n");
}

function save() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([toCsv()], { type: "text/csv" }));
  link.download = "decisions.csv";
  link.click();
  URL.revokeObjectURL(link.href);
  element("saved").textContent = `${count()} decisions saved as decisions.csv among the downloads`;
}

function count(word) {
  return suspects.filter(({ hash }) => decisions.has(hash) && (!word || decisions.get(hash).decision === word)).length;
}

function describe(decided) {
  if (!decided) {
    return "";
  }
  const words = { confirm: "confirmed", drop: "dropped", change: `changed to ${decided.emotion}` };
  return words[decided.decision];
}

function make(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function meter(share, text, emotion) {
  const bar = make("div");
  bar.style.width = `${100 * share}%`;
  bar.style.setProperty("--color", colors[emotion]);
  return make("div", { className: "cell" }, make("div", { className: "meter" }, bar), make("span", {}, text));
}

function makeRow(suspect, emotion, index) {
  const probability = suspect.probabilities[index];
  const voters = Object.values(suspect.votes).reduce((sum, votes) => sum + votes, 0);
  const votes = suspect.votes[emotion] ?? 0;
  return make(
    "tr",
    { className: emotion === suspect.given ? "given" : "" },
    make("th", { scope: "row" }, emotion),
    make("td", {}, meter(probability, `${Math.round(100 * probability)} %`, emotion)),
    make("td", { className: "votes" }, meter(votes / Math.max(1, voters), `${votes}`, emotion)),
  );
}

function nameEmotion(id, emotion) {
  element(id).textContent = emotion;
  element(id).style.setProperty("--color", colors[emotion]);
}

function showSuspect(suspect) {
  const decided = decisions.get(suspect.hash);
  const others = Object.entries(suspect.votes).filter(([choice]) => !emotions.includes(choice));
  const likely = suspect.probabilities.indexOf(Math.max(...suspect.probabilities));
  element("image").src = suspect.image;
  element("place").textContent = `${place + 1} of ${suspects.length}`;
  element("decision").textContent = describe(decided);
  nameEmotion("given", suspect.given);
  nameEmotion("suggested", emotions[likely]);
  element("rows").replaceChildren(...emotions.map((emotion, index) => makeRow(suspect, emotion, index)));
  element("others").textContent = others.map(([choice, votes]) => `${choice}: ${votes}`).join(", ");
  element("card").classList.toggle("no-votes", Object.keys(suspect.votes).length === 0);
  for (const button of document.querySelectorAll("[data-decision]")) {
    const pressed = decided?.decision === button.dataset.decision && decided.emotion === button.dataset.emotion;
    button.setAttribute("aria-pressed", `${pressed}`);
  }
}

function show() {
  const decided = count();
  const parts = [`${count("confirm")} confirmed`, `${count("change")} changed`, `${count("drop")} dropped`];
  element("progress").textContent = `${decided} of ${suspects.length} decided: ${parts.join(", ")}`;
  element("bar").style.width = `${(100 * decided) / Math.max(1, suspects.length)}%`;
  element("saved").textContent = "";
  element("save").disabled = decided === 0;
  const ended = place === suspects.length;
  element("card").hidden = ended;
  element("end").hidden = !ended;
  element("undecided").hidden = firstUndecided() < 0;
  element("end-title").textContent =
    firstUndecided() < 0 ? "Every image is decided" : `${suspects.length - decided} images are not decided`;
  if (!ended) {
    showSuspect(suspects[place]);
  }
}

function act(button, decision, emotion = "") {
  Object.assign(button.dataset, { decision, emotion });
  button.addEventListener("click", () => decide(decision, emotion));
}

const KEYS = {
  Enter: () => decide("confirm"),
  x: () => decide("drop"),
  Delete: () => decide("drop"),
  ArrowLeft: () => move(-1),
  Backspace: () => move(-1),
  ArrowRight: () => move(1),
  u: undecide,
  s: () => count() && save(),
};
emotions.slice(0, 9).forEach((emotion, index) => {
  KEYS[`${index + 1}`] = () => decide("change", emotion);
});

document.addEventListener("keydown", (event) => {
  // Enter on a button presses it.
  const pressed = event.key === "Enter" && event.target instanceof HTMLButtonElement;
  const action = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (action && !pressed && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    action();
  }
});

emotions.forEach((emotion, index) => {
  const key = index < 9 ? [make("kbd", {}, `${index + 1}`)] : [];
  const button = make("button", { type: "button" }, ...key, ` ${emotion}`);
  button.style.setProperty("--color", colors[emotion]);
  act(button, "change", emotion);
  element("emotions").append(button);
});
act(element("confirm"), "confirm");
act(element("drop"), "drop");
element("back").addEventListener("click", () => move(-1));
element("end-back").addEventListener("click", () => move(-1));
element("skip").addEventListener("click", () => move(1));
element("undo").addEventListener("click", undecide);
element("save").addEventListener("click", save);
element("undecided").addEventListener("click", () => {
  place = firstUndecided();
  show();
});
place = firstUndecided() < 0 ? suspects.length : place;
show();
