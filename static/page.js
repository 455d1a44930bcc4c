// Manners of the page itself: dialogs, focus, what is announced, the selection in the list of people.
// Knows nothing of the host, and works on whatever htmx has just put there.
(() => {
  const find = (id) => document.getElementById(id);

  // --- dialogs: a button with data-opens="id" -----------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    if (!opener) return;
    const dialog = find(opener.dataset.opens);
    // Our frame is as tall as its content: the middle of it may be far outside the window, the button is not.
    dialog.style.marginTop = `${Math.max(16, opener.getBoundingClientRect().top - 120)}px`;
    dialog.showModal();
    // Low in the window its buttons would be below: by how much, only the browser knows.
    new IntersectionObserver(([{ boundingClientRect: whole, intersectionRect: seen }], watcher) => {
      watcher.disconnect();
      const below = whole.bottom - seen.bottom;
      if (seen.height && below > 1) dialog.style.marginTop = `${Math.max(16, whole.top - below - 16)}px`;
    }).observe(dialog);
    dialog.addEventListener("close", () => opener.focus(), { once: true });
  });

  // --- printing: what is on paper is what the style sheet leaves ----------------------------------------------------
  document.addEventListener("click", (event) => { if (event.target.closest("[data-prints]")) window.print(); });

  // --- focus and the busy line ---------------------------------------------------------------------------------
  document.addEventListener("click", (event) => event.target.closest("[data-closes]")?.closest("dialog").close());

  let underway = 0;
  const byHand = (ctx) => ctx.sourceEvent?.type && !["every", "load"].includes(ctx.sourceEvent.type);

  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
    ctx.sourceElement.closest?.("dialog")?.close();
    if (!byHand(ctx)) return;
    underway += 1;
    setTimeout(() => document.documentElement.classList.toggle("busy", underway > 0), 150);
  });
  document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
    if (!byHand(ctx)) return;
    underway = Math.max(0, underway - 1);
    document.documentElement.classList.toggle("busy", underway > 0);
  });

  // Where somebody was before an answer took that place away: without it the next Tab begins at the top of the page.
  let held = null;
  document.addEventListener("htmx:before:swap", () => { held = document.activeElement; });

  function again(lost) {
    if (lost.id) return find(lost.id);
    const mark = ["href", "hx-post", "hx-get"].find((name) => lost.hasAttribute(name));
    return mark ? document.querySelector(`${lost.localName}[${mark}="${CSS.escape(lost.getAttribute(mark))}"]`) : null;
  }

  // A group of fields takes no focus: its first one does.
  function firstWrong() {
    const wrong = document.querySelector("[aria-invalid=true]");
    return wrong?.matches("fieldset") ? wrong.querySelector("input:enabled, select:enabled") : wrong;
  }

  document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
    const target = ctx.hx?.retarget ?? ctx.target?.id ?? "";
    if (byHand(ctx) && !(["change", "input"].includes(ctx.sourceEvent.type) && ctx.sourceElement.matches("[data-quiet]"))) {
      if (target.endsWith("notice")) find("notice").focus();
      else (document.querySelector("[data-focus]") ?? firstWrong() ?? (target.endsWith("main") ? document.querySelector("main h1") : null))?.focus();
    }
    // A change may take away the very field that had just been reached.
    if (document.activeElement === document.body) find(ctx.sourceEvent?.target?.id)?.focus();
    if (document.activeElement === document.body && held && !held.isConnected) {
      const around = find(target.replace("#", ""))?.querySelector("[tabindex='-1']");
      (again(held) ?? around ?? document.querySelector("main h1"))?.focus({ preventScroll: true });
    }
    announce();
    showTab();
    leadBack();
    restoreSelection();
  });

  // --- the way back to the list of people leads to it as it was left: filter, order and page ---------------------------
  let list = null;
  function leadBack() {
    list = find("people-results")?.dataset.address ?? list;
    if (list === null) return;
    for (const link of document.querySelectorAll("[data-to-people]")) {
      for (const name of ["href", "hx-get"]) link.setAttribute(name, `/app/${list}`);
    }
  }

  // --- the tab one is on is in sight, however narrow the window -------------------------------------------------------
  let tab = null;
  function showTab() {
    const current = document.querySelector("#tabs [aria-current]");
    if (!current || current === tab) return;
    tab = current;
    const [room, place] = [current.parentElement, current].map((element) => element.getBoundingClientRect());
    if (place.left >= room.left && place.right <= room.right) return;
    current.parentElement.scrollLeft += place.left - room.left - (room.width - place.width) / 2;
  }
  let width = window.innerWidth;
  window.addEventListener("resize", () => {
    if (window.innerWidth === width) return;
    width = window.innerWidth;
    tab = null;
    showTab();
  });

  // --- progress is announced in steps, not every second ----------------------------------------------------------
  let announced = "";
  function announce() {
    const words = document.querySelector("[data-announce]")?.dataset.announce ?? "";
    if (words && words !== announced) find("live").textContent = words;
    announced = words;
  }

  // --- an answer waits while something is pressed ------------------------------------------------------------------
  // It may move what is under the pointer: then press and release meet different elements, and there is no click.
  const PRESS_MS = 2_000; // a press on a list that opens, or one that becomes a drag, may never be seen to end
  let released = Promise.resolve();
  let release = () => {};
  document.addEventListener("pointerdown", () => {
    released = new Promise((resolve) => { release = resolve; setTimeout(resolve, PRESS_MS); });
  }, true);
  // The click comes right after its release.
  for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, () => setTimeout(release), true);
  document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
    const ask = ctx.fetch ?? window.fetch.bind(window);
    ctx.fetch = async (...request) => {
      const answer = await ask(...request);
      await released;
      return answer;
    };
  });

  // --- pressed twice is done once ------------------------------------------------------------------------------------
  // htmx keeps a second press and sends it after the first: two hooks, two copies. Whoever types ([data-quiet]) is
  // heard to the last letter.
  const onItsWay = new WeakSet();
  document.addEventListener("htmx:config:request", (event) => {
    const { sourceElement: element, request } = event.detail.ctx;
    if (request.method !== "POST" || element.matches("[data-quiet]")) return;
    if (onItsWay.has(element)) event.preventDefault();
    onItsWay.add(element);
  });
  document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => onItsWay.delete(ctx.sourceElement));

  // --- the last press wins -------------------------------------------------------------------------------------------
  // A page that was asked for first and comes last would take the newer one away.
  let onItsWayToMain = null;
  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
    if (ctx.target?.id !== "main" || ["every", "load"].includes(ctx.sourceEvent?.type)) return;
    onItsWayToMain?.request.abort();
    onItsWayToMain = ctx.request.method === "GET" ? ctx : null;
  });
  // Nor does a bar that has ended bring back the page it stood on to somebody who has left it.
  document.addEventListener("htmx:after:request", (event) => {
    const { sourceElement, sourceEvent } = event.detail.ctx;
    if (["every", "load"].includes(sourceEvent?.type) && !sourceElement.isConnected) event.preventDefault();
  });

  // --- fields that belong to a choice ------------------------------------------------------------------------------
  // Captured, so that the field is there (or gone) when htmx collects the form a moment later.
  document.addEventListener("change", (event) => {
    const choice = event.target.closest("[data-reveals]");
    if (!choice) return;
    const field = find(choice.dataset.reveals);
    field.hidden = choice.value !== "other";
    for (const input of field.querySelectorAll("input")) input.disabled = field.hidden;
  }, true);

  // --- fields that go with one choice of several: data-when="id:value" -----------------------------------------------
  document.addEventListener("change", (event) => {
    for (const field of document.querySelectorAll(`[data-when^="${CSS.escape(event.target.id || "-")}:"]`)) {
      field.hidden = field.dataset.when !== `${event.target.id}:${event.target.value}`;
    }
  });

  // --- nobody acts on what was shown before they typed: data-outdates="id of the button that would" --------------------
  document.addEventListener("input", (event) => {
    const button = find(event.target.form?.dataset.outdates ?? "");
    if (!button) return;
    button.disabled = true;
    find(`${button.id}-outdated`).hidden = false;
  });

  // --- a list to tick, narrowed by typing: data-narrows="id of the list" ---------------------------------------------
  document.addEventListener("input", (event) => {
    const list = find(event.target.dataset.narrows ?? "");
    const words = event.target.value.trim().toLowerCase();
    for (const item of list?.children ?? []) item.hidden = !item.textContent.toLowerCase().includes(words);
  });
  // Narrowing and finding are no change of the form.
  document.addEventListener("change", (event) => { if (event.target.matches("[data-narrows], [name=find]")) event.stopPropagation(); }, true);

  // --- a date is one when its year is whole ---------------------------------------------------------------------------
  // Somebody who types 2026 comes by the years 2, 20 and 202, and each of them would be answered.
  document.addEventListener("change", (event) => {
    const { type, value, validity } = event.target;
    if (type === "date" && (validity.badInput || (value && value < "1000"))) event.stopPropagation();
  }, true);

  // --- selection over the pages of one filter ------------------------------------------------------------------------
  let chosen = new Set();
  let whole = false;
  let filter = null;

  const boxes = () => [...document.querySelectorAll("[data-person]")];

  function restoreSelection() {
    const form = find("selection");
    if (!form) return;
    if (form.dataset.filter !== filter) { chosen = new Set(); whole = false; filter = form.dataset.filter; }
    showSelection(form);
  }

  function showSelection(form) {
    const total = Number(form.dataset.total);
    const count = whole ? total : chosen.size;
    const number = new Intl.NumberFormat("en").format(count);
    for (const box of boxes()) {
      box.checked = whole || chosen.has(box.dataset.person);
      box.closest("tr").classList.toggle("chosen", box.checked);
    }
    const all = find("select-page");
    const here = boxes().filter((box) => box.checked).length;
    if (all) { all.checked = here > 0 && here === boxes().length; all.indeterminate = here > 0 && !all.checked; }
    find("selection-count").textContent = count ? `${number} selected` : "Nobody selected";
    form.classList.toggle("some", count > 0);
    form.elements.account_ids.value = whole ? "" : [...chosen].join(",");
    form.elements.whole.value = whole ? "yes" : "";
    find("select-none").hidden = count === 0;
    find("select-whole").hidden = whole || total <= boxes().length;
    for (const button of form.querySelectorAll("[name=deed]")) button.disabled = count === 0;
  }

  document.addEventListener("change", (event) => {
    const form = find("selection");
    if (!form) return;
    const box = event.target;
    if (!box.matches("[data-person], #select-page")) return;
    if (whole) { whole = false; chosen = new Set(boxes().map((each) => each.dataset.person)); }
    const touched = box.id === "select-page" ? boxes() : [box];
    for (const each of touched) {
      if (box.checked) chosen.add(each.dataset.person); else chosen.delete(each.dataset.person);
    }
    showSelection(form);
  });

  document.addEventListener("click", (event) => {
    const form = find("selection");
    const button = event.target.closest("#select-whole, #select-none");
    if (!form || !button) return;
    whole = button.id === "select-whole";
    chosen = new Set();
    showSelection(form);
    find("select-page")?.focus();
  });

  // A preview of the selection can be left again. With the deed the selection is over; [data-begins] are its buttons.
  let awaited = null;
  const previews = new WeakSet();
  document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
    if (ctx.request.method !== "POST" || ctx.response.status >= 400) return;
    const button = ctx.sourceElement;
    const ofSelection = button.closest("#selection") !== null;
    if (!button.matches("[data-begins]")) { if (ofSelection) previews.add(ctx); return; }
    if (ofSelection || button.getAttribute("hx-post") === awaited) { chosen = new Set(); whole = false; }
  });
  document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
    if (previews.has(ctx)) awaited = document.querySelector("[data-begins]")?.getAttribute("hx-post") ?? null;
  });

  document.addEventListener("DOMContentLoaded", () => { announce(); showTab(); restoreSelection(); });
})();
