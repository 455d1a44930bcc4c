// The review queue: what is ticked, and the keys j k x a h p n r. They work on the queue alone, never in a field.
(() => {
  const find = (id) => document.getElementById(id);
  const boxes = () => [...document.querySelectorAll("[data-case]")];
  const BUTTONS = { a: "review-approve", h: "review-hold", p: "review-protect", n: "review-note", r: "review-refuse" };
  const buttons = () => Object.values(BUTTONS).map(find).filter(Boolean);
  let row = 0;
  let keys = true;

  function shown() {
    const ticked = boxes().filter((box) => box.checked).length;
    find("review-count").textContent = ticked ? `${new Intl.NumberFormat("en").format(ticked)} selected` : "Nobody selected";
    find("review-bar").classList.toggle("some", ticked > 0);
    for (const button of buttons()) button.disabled = ticked === 0;
    const all = find("review-all");
    all.checked = ticked > 0 && ticked === boxes().length;
    all.indeterminate = ticked > 0 && !all.checked;
    for (const box of boxes()) box.closest("tr").classList.toggle("chosen", box.checked);
  }

  document.addEventListener("change", (event) => {
    if (event.target.id === "review-all") for (const box of boxes()) box.checked = event.target.checked;
    if (event.target.matches("#review-all, [data-case]")) shown();
    if (event.target.id === "review-keys") keys = event.target.checked;
  });

  document.addEventListener("focusin", (event) => {
    const at = boxes().indexOf(event.target.closest("tr")?.querySelector("[data-case]"));
    if (at >= 0) row = at;
  });

  const typing = (element) => element.matches?.("textarea, select, [contenteditable], input:not([type=checkbox])");

  document.addEventListener("keydown", (event) => {
    if (!find("review-keys")?.checked || event.ctrlKey || event.metaKey || event.altKey) return;
    if (typing(event.target) || document.querySelector("dialog[open]")) return;
    // Whoever holds a key down has decided once, not about everybody who takes that place.
    if (event.repeat && !["j", "k"].includes(event.key)) return;
    const all = boxes();
    const here = all.includes(document.activeElement) || document.activeElement?.closest?.("tr")?.querySelector("[data-case]");
    if (event.key === "j" || event.key === "k") {
      row = here ? Math.min(Math.max(row + (event.key === "j" ? 1 : -1), 0), all.length - 1) : Math.min(row, all.length - 1);
      all[row]?.focus();
    } else if (event.key === "x" && here) {
      all[row].click();
    } else if (find(BUTTONS[event.key]) && (here || all.some((box) => box.checked))) {
      const alone = all.some((box) => box.checked) ? null : all[row];
      alone?.click();
      find(BUTTONS[event.key]).click();
      // A question that is left again selects nobody: the next key would be about them, not about the row one is on.
      if (alone) document.querySelector("dialog[open]")?.addEventListener("close", () => { alone.click(); alone.focus(); }, { once: true });
    } else return;
    event.preventDefault();
  });

  // After a decision the next person is where the last one was, but for somebody who has gone on meanwhile.
  let decided = false;
  let on = "";
  document.addEventListener("htmx:before:swap", () => {
    on = document.activeElement?.closest?.("tr")?.querySelector("[data-case]")?.value ?? "";
  });
  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
    decided = Boolean(ctx.sourceElement.closest?.("[data-queue]") && ctx.request.method === "POST");
  });
  document.addEventListener("htmx:after:swap", () => {
    // Every queue comes with its keys on: whoever switched them off is not asked again.
    if (find("review-keys")) find("review-keys").checked = keys;
    if (decided && find("review")) (boxes().find((box) => box.value === on) ?? boxes()[Math.min(row, boxes().length - 1)])?.focus();
    else row = 0;
    decided = false;
  });
})();
