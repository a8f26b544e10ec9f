// Copy buttons and local times. Everything else works without a script.
"use strict";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const text = document.querySelector(button.dataset.copy).textContent;
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "\u2713";
  } catch {
    const range = document.createRange();
    range.selectNodeContents(document.querySelector(button.dataset.copy));
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    return;
  }
  setTimeout(() => { button.textContent = before; }, 1500);
});

function localTimes(root) {
  const form = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  for (const each of root.querySelectorAll("time[datetime]")) {
    if (each.title) continue;
    each.title = each.textContent;
    each.textContent = form.format(new Date(each.dateTime));
  }
}

document.addEventListener("DOMContentLoaded", () => localTimes(document));
document.addEventListener("htmx:afterSwap", (event) => localTimes(event.target.parentElement || document));

// What closes on Escape or a click elsewhere.
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") document.querySelectorAll("details.person[open]").forEach((each) => { each.open = false; });
});
document.addEventListener("click", (event) => {
  document.querySelectorAll("details.person[open]").forEach((each) => { if (!each.contains(event.target)) each.open = false; });
});
