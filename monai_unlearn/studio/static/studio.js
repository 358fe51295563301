// The editor of specs: marks faults in the text, and takes suggestions. No value of a page is ever run.
"use strict";

const text = document.getElementById("text");
const suggestions = document.getElementById("suggestions");

function lineStart(line) {
  return text.value.split("\n").slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
}

function mark() {
  const marks = document.querySelector(".marks");
  if (!marks || !text) return;
  marks.replaceChildren();
  const style = getComputedStyle(text);
  const height = parseFloat(style.lineHeight);
  const measure = document.createElement("canvas").getContext("2d");
  measure.font = `${style.fontSize} ${style.fontFamily}`;
  const character = measure.measureText("0").width;
  for (const fault of document.querySelectorAll("#faults li")) {
    const { line, column, width } = fault.dataset;
    if (Number(line) === 0) continue;
    const one = document.createElement("span");
    const whole = text.value.split("\n")[line - 1] || "";
    const from = Number(column) ? column - 1 : whole.length - whole.trimStart().length;
    const length = Number(column) ? Number(width) || 1 : Math.max(whole.trim().length, 1);
    one.style.top = `${parseFloat(style.paddingTop) + (line - 1) * height - text.scrollTop}px`;
    one.style.left = `${parseFloat(style.paddingLeft) + from * character - text.scrollLeft}px`;
    one.style.width = `${length * character}px`;
    marks.append(one);
  }
}

function suggest() {
  const cursor = document.getElementById("cursor");
  // The server counts characters, a browser counts units of UTF-16.
  const at = [...text.value.slice(0, text.selectionStart)].length;
  if (cursor.value === String(at) && suggestions.dataset.text === text.value) return;
  cursor.value = at;
  suggestions.dataset.text = text.value;
  htmx.trigger(suggestions, "suggest");
}

function take(button) {
  const characters = [...text.value];
  const [start, end] = [Number(button.dataset.start), Number(button.dataset.end)];
  const before = characters.slice(0, start).join("");
  text.focus();
  text.setSelectionRange(before.length, characters.slice(0, end).join("").length);
  text.setRangeText(button.dataset.text, text.selectionStart, text.selectionEnd, "end");
  text.dispatchEvent(new Event("input", { bubbles: true }));
}

function move(step) {
  const buttons = [...suggestions.querySelectorAll("button")];
  const next = buttons.indexOf(document.activeElement) + step;
  if (next < 0) text.focus();
  else if (buttons[next]) buttons[next].focus();
}

if (text) {
  text.addEventListener("input", () => { document.getElementById("typed").value = "yes"; document.querySelector(".marks").replaceChildren(); suggest(); });
  text.addEventListener("keyup", suggest);
  text.addEventListener("click", suggest);
  text.addEventListener("scroll", mark);
  addEventListener("resize", mark);
  text.addEventListener("keydown", event => {
    if (event.altKey && event.key === "ArrowDown") { event.preventDefault(); move(1); }
  });
  suggestions.addEventListener("click", event => {
    const button = event.target.closest("button");
    if (button) take(button);
  });
  suggestions.addEventListener("keydown", event => {
    const steps = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };
    if (steps[event.key]) { event.preventDefault(); move(steps[event.key]); }
    if (event.key === "Escape") text.focus();
  });
  document.addEventListener("click", event => {
    const button = event.target.closest("#faults .go");
    if (!button) return;
    const { line, column } = button.closest("li").dataset;
    const at = lineStart(Number(line)) + Math.max(Number(column) - 1, 0);
    text.focus();
    text.setSelectionRange(at, at);
  });
}
document.addEventListener("htmx:afterSettle", mark);
function showLost(name) {
  for (const one of ["lost", "refused"]) document.getElementById(one).hidden = one !== name;
}
document.addEventListener("htmx:sendError", () => showLost("lost"));
// After a restart the cookie of this page is no good any more: every answer is a refusal.
document.addEventListener("htmx:responseError", () => showLost("refused"));
document.addEventListener("htmx:afterOnLoad", event => { if (event.detail.successful) showLost(null); });
