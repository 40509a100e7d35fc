// Makes a payer's page lively; without it the page works all the same, by reloading itself.
"use strict";

(() => {
  const FIRST_PAUSE_MS = 1500, LONGEST_PAUSE_MS = 15000, GROWTH = 1.25;
  const offline = document.getElementById("offline");
  let tag = "", pause = FIRST_PAUSE_MS, timer = 0, asking = false;

  const isLive = () => document.getElementById("live")?.hasAttribute("data-live");

  // One tap is one payment. Coming back to the page makes the button work again: the server knows
  // by the number of the attempt whether there is anything left to pay.
  function guard(form) {
    const button = form.querySelector("button");
    form.addEventListener("submit", (event) => {
      if (button.getAttribute("aria-disabled") === "true") event.preventDefault();
      button.setAttribute("aria-disabled", "true");
    });
    addEventListener("pageshow", () => button.removeAttribute("aria-disabled"));
  }

  // Digits in the groups people read them in, while they are typed at the end of the field.
  function group(input) {
    const groups = (input.dataset.groups || "").split(" ").filter(Boolean).map(Number);
    if (!groups.length) return;
    input.addEventListener("input", (event) => {
      const plain = input.value.replace(/[ ]/g, "");
      const grows = !String(event.inputType || "").startsWith("delete");
      if (!grows || !/^[0-9]+$/.test(plain) || input.selectionStart !== input.value.length) return;
      const parts = [];
      let at = 0;
      for (const size of groups) { parts.push(plain.slice(at, at + size)); at += size; }
      parts.push(plain.slice(at));
      input.value = parts.filter(Boolean).join(" ");
    });
  }

  function prepare() {
    document.querySelectorAll("form").forEach(guard);
    document.querySelectorAll("[data-groups]").forEach(group);
    document.querySelectorAll("[data-print]").forEach((button) => {
      button.hidden = false;
      button.addEventListener("click", () => print());
    });
    document.querySelector("[aria-invalid]")?.focus();
  }

  function take(text) {
    const fresh = new DOMParser().parseFromString(text, "text/html");
    const mine = document.getElementById("live"), theirs = fresh.getElementById("live");
    if (!mine || !theirs || mine.innerHTML === theirs.innerHTML) return;
    const moved = mine.dataset.phase !== theirs.dataset.phase;
    const kept = document.importNode(theirs, true);
    // The element that is announced stays, and its content changes: that is what is read out.
    const said = mine.querySelector("[role=status]"), says = kept.querySelector("[role=status]");
    mine.replaceWith(kept);
    if (said && says) { said.className = says.className; said.replaceChildren(...says.childNodes); says.replaceWith(said); }
    document.title = fresh.title;
    prepare();
    if (moved) { pause = FIRST_PAUSE_MS; document.getElementById("content").focus({ preventScroll: true }); }
  }

  async function look() {
    if (asking) return;
    asking = true;
    try {
      const headers = { accept: "text/html" };
      if (tag) headers["if-none-match"] = tag;
      const answer = await fetch(location.href, { headers, cache: "no-store" });
      if (answer.status === 200) {
        tag = answer.headers.get("etag") || "";
        take(await answer.text());
      } else if (answer.status === 429) {
        pause = LONGEST_PAUSE_MS;
      }
      offline.hidden = true;
    } catch {
      offline.hidden = false;
    }
    asking = false;
  }

  async function follow() {
    clearTimeout(timer);
    if (!document.hidden && isLive()) await look();
    if (!isLive()) return;
    timer = setTimeout(follow, pause);
    pause = Math.min(pause * GROWTH, LONGEST_PAUSE_MS);
  }

  function wake() {
    if (document.hidden || !isLive()) return;
    pause = FIRST_PAUSE_MS;
    follow();
  }

  prepare();
  document.addEventListener("visibilitychange", wake);
  addEventListener("online", wake);
  // A page that the browser kept shows what was; this one asks how it is now.
  addEventListener("pageshow", (event) => { if (event.persisted) look().then(wake); });
  if (isLive()) timer = setTimeout(follow, pause);
})();
