// Fills this page with the model and the limits of its server.

import { describeModel } from "./client.js";

function fill(name, text) {
  for (const part of document.querySelectorAll(`[data-fill="${name}"]`)) part.textContent = text;
}

fill("origin", location.origin);
describeModel().then(({ limits, emotions }) => {
  fill("upload", `${limits.upload_bytes / 2 ** 20} MiB`);
  fill("pixels", `${Math.floor(limits.pixels / 1e6)} million pixels`);
  fill("at_a_time", limits.at_a_time);
  fill("a_second", limits.a_second);
  fill("sessions", limits.sessions);
  fill("session_seconds", limits.session_seconds);
  fill("emotions", emotions.map(({ name }) => name).join(", "));
});
