// Fills this page with what the server that it comes from says of itself.

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
  fill("emotions", emotions.map(({ name }) => name).join(", "));
});
