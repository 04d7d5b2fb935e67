// Shows what was stored since the page was made: asks for a number, and for the page again when it has changed.
"use strict";
(() => {
  const EVERY_MS = 2000;
  let known = null;
  let isBusy = false;

  async function text(address) {
    const answer = await fetch(address, { credentials: "same-origin", cache: "no-store" });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.text();
  }

  // Somebody who types, selects or reads further down is left alone.
  function isInUse(main) {
    const focus = document.activeElement;
    const typing = main.contains(focus) && ["INPUT", "BUTTON", "A"].includes(focus.tagName);
    return typing || String(document.getSelection()) !== "" || new URLSearchParams(location.search).has("before");
  }

  async function look() {
    const main = document.getElementById("main");
    if (isBusy || document.hidden) return;
    isBusy = true;
    try {
      const now = await text("/version");
      if (known === null) known = now;
      if (now !== known && !isInUse(main)) {
        const page = new DOMParser().parseFromString(await text(location.href), "text/html");
        main.replaceChildren(...page.getElementById("main").childNodes);
        known = now;
        const said = document.querySelector(".live");
        said.hidden = false;
        said.textContent = "updated " + new Date().toLocaleTimeString();
      }
    } catch {
      // The server has ended, or is busy: the page stays as it is.
    } finally {
      isBusy = false;
    }
  }

  setInterval(look, EVERY_MS);
  look();
})();
