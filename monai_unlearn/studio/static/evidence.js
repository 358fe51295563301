// Features, linked over all networks, and the threshold of the membership attack.
"use strict";

const features = document.getElementById("features");
if (features) {
  const images = JSON.parse(features.dataset.images);
  const number = document.getElementById("image-number");
  const filters = [...features.querySelectorAll("select[data-field]")];
  const said = document.getElementById("image-said");
  const panels = [...features.querySelectorAll(".linked svg")].map(one => [...one.querySelectorAll(".forget, .other")]);
  const show = () => {
    const chosen = Number(number.value) - 1;
    for (const points of panels) {
      points.forEach((point, at) => {
        const fits = filters.every(one => !one.value || images[at][one.dataset.field] === one.value);
        point.classList.toggle("faint", !fits);
        point.classList.toggle("chosen", at === chosen);
      });
    }
    const found = images[chosen];
    said.textContent = found ? `Image ${chosen + 1}: ${filters.map(one => `${one.labels[0].textContent.toLowerCase()} ${found[one.dataset.field]}`).join(", ")}.` : "No image is chosen.";
  };
  for (const points of panels) {
    points.forEach((point, at) => point.addEventListener("click", () => { number.value = at + 1; show(); }));
  }
  for (const one of [number, ...filters]) one.addEventListener("input", show);
}

const attack = document.getElementById("attack");
if (attack) {
  const rates = JSON.parse(attack.dataset.rates);
  const slider = document.getElementById("threshold");
  const percent = share => `${(100 * share).toFixed(1)} %`;
  const show = () => {
    const at = Number(slider.value);
    document.getElementById("false-rate").textContent = percent(rates[at]);
    for (const one of attack.querySelectorAll(".true-rate")) {
      one.textContent = percent(JSON.parse(one.dataset.rates)[at]);
    }
    slider.setAttribute("aria-valuetext", `${percent(rates[at])} falsely accused`);
  };
  slider.addEventListener("input", show);
  show();
}
