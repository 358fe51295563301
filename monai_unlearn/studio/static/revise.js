// Follows a revision by server-sent events; a lost connection is taken up again by the browser itself.
"use strict";

const run = document.getElementById("run");
if (run && run.dataset.running) {
  const source = new EventSource(`/revise/events?run=${encodeURIComponent(run.dataset.name)}`);
  source.addEventListener("open", () => showLost(null));
  source.addEventListener("error", () => {
    // A lost connection is tried again; a studio that was started again refuses this page for good.
    showLost(source.readyState === EventSource.CLOSED ? "refused" : "lost");
  });
  source.addEventListener("message", event => {
    const told = JSON.parse(event.data);
    document.getElementById("state").textContent = told.state;
    document.getElementById("log").textContent = told.log;
    if (told.progress) {
      const bar = document.getElementById("progress");
      bar.max = told.progress.total;
      bar.value = told.progress.step;
      document.getElementById("last").textContent = told.progress.text;
    }
    if (told.ended) { source.close(); location.reload(); }
  });
}
