// Follows a revision by server-sent events; a lost connection is taken up again by the browser itself.
"use strict";

const run = document.getElementById("run");
if (run && run.dataset.running) {
  const lost = document.getElementById("lost");
  const source = new EventSource(`/revise/events?run=${encodeURIComponent(run.dataset.name)}`);
  source.addEventListener("open", () => { lost.hidden = true; });
  source.addEventListener("error", () => { lost.hidden = false; });
  source.addEventListener("message", event => {
    const told = JSON.parse(event.data);
    document.getElementById("state").textContent = told.state;
    document.getElementById("log").textContent = told.log;
    document.getElementById("last").textContent = told.log.trim().split("\n").pop();
    if (told.ended) { source.close(); location.reload(); }
  });
}
