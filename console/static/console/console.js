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

// Nothing moves by itself for who does not want it.
if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
  document.addEventListener("play", (event) => {
    if (!event.target.autoplay) return;
    event.target.autoplay = false;
    event.target.pause();
  }, true);
}

// Characters typed, as the server counts them.
document.addEventListener("input", (event) => {
  const count = event.target.id && document.querySelector(`[data-count="${event.target.id}"]`);
  if (count) count.textContent = count.textContent.replace(/^\d+/, [...event.target.value.trim()].length);
});

// "Try again in 37 seconds" counts down.
for (const each of document.querySelectorAll("[data-countdown]")) {
  let left = Number(each.dataset.countdown);
  const timer = setInterval(() => {
    left -= 1;
    if (left < 1) clearInterval(timer);
    each.textContent = left < 1 ? each.dataset.done : each.textContent.replace(/\d+/, left);
  }, 1000);
}

// The browser's way back leads to the form that has ordered, not to a fresh one.
document.addEventListener("submit", (event) => {
  if (!event.target.dataset.order) return;
  const here = new URL(event.target.action);
  here.searchParams.set("form", event.target.dataset.order);
  history.replaceState(history.state, "", here);
});

// An answer about the options is worth nothing once they were changed again: htmx asks anew.
let changes = 0;
let asked = 0;
document.addEventListener("change", (event) => {
  if (event.target.matches("#create select, #create [type=radio]")) changes += 1;
}, true);
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.target.id === "options") asked = changes;
});
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id === "options" && asked !== changes) event.detail.shouldSwap = false;
});

// The log-in is over, or newer than this page: asked as a page, the answer keeps what was typed.
document.addEventListener("typed", () => {
  const form = document.getElementById("create");
  form.requestSubmit(form.querySelector("button[value=show]"));
});

// A second click before the answer would make the browser drop the first one.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "1";
  setTimeout(() => { delete form.dataset.sent; }, 5000);
});
