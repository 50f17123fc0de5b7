/* Makes the inbox live. Without it every page and form works, by loading anew.
   What changed on the server is fetched as the same page without its frame, and put in place of what is shown: element by element,
   and only where it differs. What somebody is typing, has opened, or has scrolled to stays. */
"use strict";

const $ = (selector, within = document) => within.querySelector(selector);
const isTyping = () => document.activeElement?.matches("input, textarea, select");

/* ---- how many radio texts (3GPP TS 23.038, 6.2.1: the alphabet; 23.040, 9.2.3.24: 153 and 67 where a text has parts) */

const GSM7 = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const EXTENDED = "\f^{}\\[~]|€";

function size(text) {
  let septets = 0;
  for (const character of text) {
    if (GSM7.includes(character)) septets += 1;
    else if (EXTENDED.includes(character)) septets += 2;
    else { septets = -1; break; }
  }
  return septets >= 0 ? parts(text, 160, 153, (c) => (EXTENDED.includes(c) ? 2 : 1)) : parts(text, 70, 67, (c) => c.length);
}

/* No character is cut in two, so a part may end one unit early. */
function parts(text, alone, each, units) {
  let total = 0, count = 1, filled = 0;
  for (const character of text) {
    const more = units(character);
    total += more;
    if (filled + more > each) { count += 1; filled = 0; }
    filled += more;
  }
  return total <= alone ? { count: 1, left: alone - total } : { count, left: each - filled };
}

function showSize() {
  const box = $("#text"), output = $("#size");
  if (!box || !output) return;
  const text = box.value.trim(), { count, left } = size(text);
  output.textContent = text ? `${count} SMS · ${left} left` : "";
  output.classList.toggle("many", count > 2);
  grow(box);
}

/* Where the browser cannot let a box grow by itself (field-sizing). */
function grow(box) {
  if (CSS.supports("field-sizing", "content") || !box.closest(".reply")) return;
  box.rows = Math.min(8, Math.max(1, box.value.split("\n").length, Math.ceil(box.value.length / 40)));
}

/* ---- live */

let asked = 0, isStale = false, soon = 0;

function refreshSoon() {
  if (document.hidden) { isStale = true; return; }
  clearTimeout(soon);
  soon = setTimeout(refresh, 100);
}

/* Where what is shown can be had again. A form that was refused is shown under the address that it was sent to, and only sending it
   once more would load that. */
function place() {
  const { id, list } = $("#talk")?.dataset ?? {};
  return new URL(id && location.pathname !== `/c/${id}` ? `/c/${id}${list}` : location.href, location.href);
}

async function refresh() {
  const turn = ++asked, url = place();
  isStale = false;
  url.hash = "";
  url.searchParams.delete("say");
  url.searchParams.delete("again");
  url.searchParams.set("fragment", "1");
  try {
    const answer = await fetch(url, { headers: { Accept: "text/html" } });
    if (answer.redirected) { location.replace(place()); return; } // logged out: the way back leads here
    if (answer.status === 404) { location.replace("/"); return; } // gone
    if (answer.ok && turn === asked) swap(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch { /* no network: the next event, or coming back, tries again */ }
}

function swap(fresh) {
  const before = Number($("#list")?.dataset.unread ?? 0);
  for (const old of document.querySelectorAll("[data-live]")) {
    const replacement = fresh.getElementById(old.id);
    if (replacement && !isInUse(old)) put(old, replacement);
  }
  tell(before);
  showSize();
}

/* A form that somebody has opened or typed into is theirs. */
function isInUse(element) {
  if (element.contains(document.activeElement) && isTyping()) return true;
  const typed = [...element.querySelectorAll("textarea")].some((box) => box.value !== box.defaultValue || box.value);
  return typed || $("details.menu[open], .helpers details[open]", element) !== null;
}

function put(old, replacement) {
  for (const opened of old.querySelectorAll("details[open][id]")) {
    const same = replacement.querySelector(`#${CSS.escape(opened.id)}`);
    if (same) same.open = true;
  }
  const marks = (element) => element.outerHTML.replace(/name="key" value="[0-9a-f]*"/g, "");
  if (marks(old) === marks(replacement)) return;
  const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
  const scroller = old.classList.contains("scroll") ? old : old.parentElement;
  const top = scroller.scrollTop;
  old.replaceWith(replacement);
  (scroller === old ? replacement : scroller).scrollTop = top;
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

function tell(before) {
  const list = $("#list");
  if (!list) return;
  title(Number(list.dataset.waiting));
  if (Number(list.dataset.unread) > before) {
    const row = $("li.unread .row", list);
    if (row) $("#told").textContent = `New: ${$(".who bdi", row).textContent}. ${$(".last", row).textContent.trim()}`;
  }
}

const plainTitle = document.title;
function title(waiting) {
  document.title = waiting ? `(${waiting}) ${plainTitle}` : plainTitle;
}

let isFirst = true;
function listen() {
  const events = new EventSource("/live");
  events.onopen = () => { if (!isFirst) refreshSoon(); isFirst = false; }; // something may have happened meanwhile
  events.onmessage = (event) => {
    const counts = JSON.parse(event.data).counts;
    title(counts.new + counts.waiting_for_us);
    refreshSoon();
  };
  // Refused for good (too many pages, or logged out): look now and then instead.
  events.onerror = () => { if (events.readyState === EventSource.CLOSED) { refreshSoon(); setTimeout(listen, 60000); } };
}

/* ---- keys */

function move(by) {
  const rows = [...document.querySelectorAll("#list .row")];
  if (!rows.length) return;
  const at = rows.indexOf(document.activeElement);
  const current = at >= 0 ? at : rows.findIndex((row) => row.hasAttribute("aria-current"));
  const next = current < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, current + by));
  rows[next].focus();
}

function leave() {
  const opened = $("details.menu[open], .helpers details[open]");
  if (opened) { opened.open = false; $("summary", opened).focus(); return; }
  if (isTyping()) document.activeElement.blur();
  else $(".head .back")?.click();
}

function openNote() {
  const noting = $("#noting");
  if (noting) { noting.open = true; $("#note").focus(); }
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  r: () => $("#text")?.focus(),
  n: openNote,
  "/": () => { const box = $("#q"); if (box?.offsetParent) { box.focus(); box.select(); } else location.href = "/"; },
  "?": () => $("#help")?.showModal(),
};

document.addEventListener("keydown", (event) => {
  if ($("dialog[open]") || event.isComposing) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("#text, #note")) {
    event.preventDefault();
    event.target.form.requestSubmit();
    return;
  }
  if (event.key === "Escape") { leave(); return; }
  if (isTyping() || event.ctrlKey || event.metaKey || event.altKey) return;
  const act = KEYS[event.key];
  if (act) { event.preventDefault(); act(); }
});

/* ---- the rest */

document.addEventListener("input", (event) => { if (event.target.id === "text") showSize(); });

document.addEventListener("click", (event) => {
  const ready = event.target.closest("a[data-say]");
  if (ready) {
    event.preventDefault();
    const box = $("#text");
    box.value = box.value.trim() ? `${box.value.trimEnd()} ${ready.dataset.say}` : ready.dataset.say;
    ready.closest("details").open = false;
    box.focus();
    showSize();
    return;
  }
  for (const opened of document.querySelectorAll("details.menu[open], .helpers details[open]"))
    if (!opened.contains(event.target) && !$(".fault")) opened.open = false;
});

/* What was left alone while it was open may be old. */
document.addEventListener("toggle", (event) => {
  if (!event.target.open && event.target.matches?.(".menu, .helpers details")) refreshSoon();
}, true);

/* A form is sent once, however often it is pressed. */
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "1";
  setTimeout(() => delete form.dataset.sent, 5000); // the network may have lost it
});

document.addEventListener("visibilitychange", () => { if (!document.hidden && isStale) refresh(); });
if ($("#list")) {
  title(Number($("#list").dataset.waiting));
  listen();
  setInterval(refreshSoon, 60000); // waits grow
}
showSize();
