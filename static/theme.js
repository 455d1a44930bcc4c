// Runs before the first paint: takes the colours of the last visit, so that a dark page does not flash white.
// The host's word comes a moment later (bridge.js) and is kept for the next time. No cookie.
(() => {
  const page = document.documentElement;
  try {
    const mode = localStorage.getItem("rollcall:color-mode");
    if (mode === "light" || mode === "dark") page.dataset.colorMode = mode;
    new MutationObserver(() => localStorage.setItem("rollcall:color-mode", page.dataset.colorMode))
      .observe(page, { attributeFilter: ["data-color-mode"] });
  } catch { /* the browser keeps nothing for frames: every visit starts light */ }
})();
