"use strict";
// What pages can do more where scripts run; every page works without.

// Where a form asks for the time zone, the browser's is filled in.
for (const field of document.querySelectorAll("[data-guess]")) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) {
    field.value = zone;
  }
}

// Where the row of own pages is wider than the screen, the current one is in sight.
document.querySelector(".own [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

// One place that is read aloud when something was done.
const spoken = document.createElement("p");
spoken.className = "spoken";
spoken.setAttribute("role", "status");
document.body.append(spoken);
let silence;
function say(text) {
  spoken.textContent = text;
  clearTimeout(silence);
  silence = setTimeout(() => { spoken.textContent = ""; }, 4000);
}

// Votes: posted behind the page, and shown as the answer says that they stand.
const SAID = { up: "You said: more like this.", down: "You said: less like this.", none: "Your vote is taken back." };

// Presses on one paper that are not answered yet: they are posted in turn, so that the last one
// counts, and what is shown is how things stand after that one.
const newest = new WeakMap(); // form -> its newest press

async function cast(form, value) {
  const press = { value, answer: posted(form, value, newest.get(form)?.answer) };
  newest.set(form, press);
  const { stands, isRecorded } = await press.answer;
  if (newest.get(form) !== press) return;
  newest.delete(form);
  if (stands) show(form, stands);
  say(isRecorded ? SAID[stands] : "That did not work: your vote was not recorded.");
}

async function posted(form, value, before) {
  const fields = new URLSearchParams(new FormData(form));
  fields.set("value", value);
  const last = await before;
  try {
    const answer = await fetch(form.action, { method: "POST", body: fields, headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(answer.statusText);
    return { stands: (await answer.json()).value, isRecorded: true };
  } catch {
    return { stands: last?.stands, isRecorded: false };
  }
}

function show(form, value) {
  for (const button of form.elements) {
    if (button.name !== "value") continue;
    if (button.value === "none") {
      if (value === "none" && button === document.activeElement) form.elements.value[0].focus();
      button.hidden = value === "none";
    } else {
      button.setAttribute("aria-pressed", String(button.value === value));
    }
  }
}

// What was pressed last, answered or not.
function pressed(form) {
  return newest.get(form)?.value ?? form.querySelector("[aria-pressed=true]")?.value;
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form.thumbs") || !event.submitter) return;
  event.preventDefault();
  cast(form, event.submitter.value);
});

// A button that copies, beside what can be copied.
for (const text of document.querySelectorAll("details.cite pre")) {
  const button = document.createElement("button");
  button.className = "quiet";
  button.type = "button";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      say("Copied.");
    } catch {
      say("Your browser does not let pages copy: mark the text instead.");
    }
  });
  text.after(button);
}

// Keys. They can be turned off (WCAG 2.2, 2.1.4); the choice is kept on this browser alone.
const KEPT = "paperpost-keys";
const KEYS = [
  ["j", "next paper"],
  ["k", "previous paper"],
  ["o", "open the paper (Enter does, too)"],
  ["u", "more like this"],
  ["d", "less like this"],
  ["/", "search"],
  ["?", "this list"],
];

function kept() {
  try {
    return localStorage.getItem(KEPT);
  } catch { // some browsers keep nothing for anybody
    return null;
  }
}

function keep(isOn) {
  try {
    isOn ? localStorage.removeItem(KEPT) : localStorage.setItem(KEPT, "off");
  } catch {
    say("Your browser does not keep this: it holds for this page.");
  }
}

let areOn = kept() !== "off";

function element(name, attributes, ...children) {
  const made = Object.assign(document.createElement(name), attributes);
  made.append(...children);
  return made;
}

function listOfKeys() {
  const rows = KEYS.map(([key, what]) => element("div", {}, element("dt", {}, element("kbd", { textContent: key })), element("dd", { textContent: what })));
  const box = element("input", { id: "keys-on", type: "checkbox", checked: areOn });
  box.addEventListener("change", () => { areOn = box.checked; keep(areOn); });
  const dialog = element(
    "dialog",
    { className: "keys" },
    element("h2", { id: "keys-title", textContent: "Keys" }),
    element("dl", {}, ...rows),
    element("div", { className: "field check" }, box, element("label", { htmlFor: "keys-on", textContent: "Single keys do this" })),
    element("form", { method: "dialog" }, element("button", { textContent: "Close" })),
  );
  dialog.setAttribute("aria-labelledby", "keys-title");
  document.body.append(dialog);
  return dialog;
}

let dialog;
function showKeys() {
  dialog ??= listOfKeys();
  if (!dialog.open) dialog.showModal();
}

const opener = element("button", { className: "quiet small", type: "button", textContent: "Keys" });
opener.addEventListener("click", showKeys);
document.querySelector("footer.bottom")?.append(opener);

const entries = Array.from(document.querySelectorAll(".entry"));
const titleOf = (entry) => entry.querySelector("h2 a");

// Only who is not signed in is led to their link.
const toLink = document.querySelector("header .to-link");

function here() {
  return document.activeElement?.closest(".entry") ?? null;
}

function step(by) {
  const at = entries.indexOf(here());
  const next = entries[at < 0 ? (by > 0 ? 0 : entries.length - 1) : at + by];
  if (!next) return;
  titleOf(next)?.focus();
  next.scrollIntoView({ block: "nearest" });
}

function press(value, isHeld) {
  if (isHeld) return;
  const form = (here() ?? document).querySelector("form.thumbs");
  if (form && (here() || !entries.length)) {
    if (pressed(form) !== value) cast(form, value);
  } else if (toLink) {
    say("Sign in with your link to vote.");
  }
}

function find() {
  const fields = document.querySelectorAll("main input[type=search], header input[type=search]");
  const field = Array.from(fields).find((one) => one.getClientRects().length);
  if (field) {
    field.focus();
  } else { // the header of a narrow window has none
    location.assign(`${document.querySelector("header .to-search").href}#q`);
  }
}

const DOES = {
  j: () => step(1),
  k: () => step(-1),
  o: () => here() && titleOf(here())?.click(),
  u: (isHeld) => press("up", isHeld),
  d: (isHeld) => press("down", isHeld),
  "/": find,
  "?": showKeys,
};

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable], dialog");
  if (!areOn || typing || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (!Object.hasOwn(DOES, event.key)) return;
  event.preventDefault();
  DOES[event.key](event.repeat);
});
