// Keeps a page up to date: fetches the same page once a second and takes over what changed.
// Without this script the page reloads itself (see layout.html) and its forms work all the same.
"use strict";

(() => {
  const PAUSE_MS = Number(document.body.dataset.pauseMs) || 1000;
  const offline = document.getElementById("offline");

  // A list whose items have ids is changed item by item, so that what someone is typing stays.
  function takeList(mine, theirs) {
    const wanted = new Map([...theirs.children].map((item) => [item.id, item]));
    for (const item of [...mine.children]) {
      if (!wanted.has(item.id)) item.remove();
    }
    let place = mine.firstElementChild;
    for (const fresh of [...theirs.children]) {
      const old = fresh.id && document.getElementById(fresh.id);
      if (!old) {
        mine.insertBefore(document.importNode(fresh, true), place);
        continue;
      }
      takeTicks(old, fresh);
      if (old === place) place = place.nextElementSibling;
    }
  }

  function takeTicks(mine, theirs) {
    const fresh = theirs.querySelectorAll("[data-tick]");
    mine.querySelectorAll("[data-tick]").forEach((tick, index) => {
      if (!fresh[index]) return;
      if (tick.tagName === "PROGRESS") tick.value = fresh[index].value;
      else if (tick.textContent !== fresh[index].textContent) {
        tick.textContent = fresh[index].textContent;
      }
    });
  }

  function takeBlock(mine, theirs) {
    if (mine.innerHTML === theirs.innerHTML) return;
    if (mine.contains(document.activeElement) && document.activeElement.matches("input")) return;
    const open = new Set([...mine.querySelectorAll("details[open][id]")].map((each) => each.id));
    const focused = mine.contains(document.activeElement) && document.activeElement.id;
    mine.replaceChildren(...document.importNode(theirs, true).childNodes);
    for (const id of open) {
      const details = document.getElementById(id);
      if (details) details.open = true;
    }
    const again = focused && document.getElementById(focused);
    if (again) again.focus({ preventScroll: true });
  }

  function take(fresh) {
    document.title = fresh.title;
    for (const mine of document.querySelectorAll("[data-live]")) {
      const theirs = fresh.getElementById(mine.id);
      if (!theirs) continue;
      if (mine.dataset.live === "list") takeList(mine, theirs);
      else takeBlock(mine, theirs);
    }
  }

  async function refresh() {
    if (document.hidden) return;
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      if (answer.ok) take(new DOMParser().parseFromString(await answer.text(), "text/html"));
      offline.hidden = answer.ok || answer.status === 404;
    } catch {
      offline.hidden = false;
    }
  }

  async function keepFresh() {
    await refresh();
    setTimeout(keepFresh, PAUSE_MS);
  }

  document.documentElement.dataset.script = "on";
  document.addEventListener("visibilitychange", refresh);
  setTimeout(keepFresh, PAUSE_MS);
})();
