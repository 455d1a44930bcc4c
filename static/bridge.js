// The bridge to the host: the only script that knows that Jira or Confluence is around us.
// It signs what htmx sends, and hands on size, theme, history, flags and downloads.
(() => {
  const host = window.AP;
  const page = document.documentElement;
  const TOKEN_WAIT_MS = 10_000;
  const UNREACHABLE = ["Rollcall did not answer.", "Check your connection, then try again."];
  const NO_HOST = ["Jira or Confluence did not answer.", "Reload this browser page."];

  // --- signed requests ------------------------------------------------------------------------------------
  class HostSilent extends Error {}

  const silentAfter = (ms) => new Promise((_, reject) => { setTimeout(() => reject(new HostSilent()), ms); });

  async function token() {
    if (!host?.context) throw new HostSilent();
    return Promise.race([host.context.getToken(), silentAfter(TOKEN_WAIT_MS)]);
  }

  async function signedFetch(address, request = {}) {
    // The token opens our own server and nobody else's.
    if (new URL(address, document.baseURI).origin !== location.origin) throw new Error("foreign address");
    const headers = { ...request.headers, Authorization: `JWT ${await token()}` };
    return fetch(address, { ...request, headers, credentials: "omit", cache: "no-store", redirect: "error" });
  }

  document.addEventListener("htmx:config:request", ({ detail }) => { detail.ctx.fetch = signedFetch; });

  // --- what goes wrong is said on top of the page -----------------------------------------------------------
  const byItself = (ctx) => ["every", "load"].includes(ctx?.sourceEvent?.type);
  const mayGo = (lost, ctx) => lost === "by-itself" || !byItself(ctx);

  function say([sentence, nextStep], ctx) {
    const notice = document.getElementById("notice");
    // What a page lost that asks by itself is no news beside what somebody's own press came to.
    if (byItself(ctx) && notice.childElementCount) return;
    const box = Object.assign(document.createElement("div"), { className: "message error" });
    box.dataset.lost = byItself(ctx) ? "by-itself" : "by-hand";
    box.append(Object.assign(document.createElement("strong"), { textContent: sentence }));
    box.append(Object.assign(document.createElement("p"), { textContent: nextStep }));
    notice.replaceChildren(box);
  }

  const isPage = (answer) => (answer.headers.get("Content-Type") ?? "").startsWith("text/html");

  document.addEventListener("htmx:before:response", (event) => {
    const { ctx } = event.detail;
    if (ctx.response.status === 401) { event.preventDefault(); say(["Your host no longer vouches for this page.", NO_HOST[1]], ctx); }
    else if (!isPage(ctx.response) && ctx.response.status !== 204) { event.preventDefault(); say(UNREACHABLE, ctx); }
  });

  document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
    if (ctx.response.status < 400) {
      // An answer shows that Rollcall is there again. Whether what somebody pressed was done, only their next press shows.
      const notice = document.getElementById("notice");
      if (isMain(ctx) || mayGo(notice.firstElementChild?.dataset.lost, ctx)) notice.replaceChildren();
      return;
    }
    if (ctx.hx.retarget) return;
    // What a filter takes out of a page is not in a problem.
    ctx.select = null;
    ctx.hx.retarget = "#notice";
    ctx.hx.reswap = "innerHTML show:top";
  });

  document.addEventListener("htmx:error", ({ detail: { ctx, error } }) => say(error instanceof HostSilent ? NO_HOST : UNREACHABLE, ctx));

  // --- the address in the host's location bar: a place such as "people?idle=90" ------------------------------
  let shown = "";
  const isMain = (ctx) => (ctx.target?.id ?? ctx.target) === "main" || ctx.hx?.retarget === "#main";
  const place = () => document.querySelector("[data-address]")?.dataset.address ?? "";

  function readHistory() {
    return new Promise((resolve) => {
      if (!host?.history?.getState) { resolve(""); return; }
      const take = (state) => resolve(typeof state === "string" ? decodeURI(state.replace(/^#?!?/, "")) : "");
      const answer = host.history.getState("hash", take);
      if (typeof answer === "string") take(answer);
      else answer?.then?.(take, () => resolve(""));
      setTimeout(resolve, 1500, "");
    });
  }

  function open(address) {
    const target = new URL(`/app/${address}`, document.baseURI);
    if (target.origin !== location.origin || !target.pathname.startsWith("/app/")) return;
    shown = address;
    window.htmx.ajax("GET", target.pathname + target.search, { target: "#main", swap: "innerHTML" });
  }

  document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
    const address = place();
    if (address && address !== shown) {
      const quietly = ctx.sourceElement?.closest?.("[data-history=replace]");
      shown = address;
      host?.history?.[quietly ? "replaceState" : "pushState"]?.(address);
    }
    flags();
  });

  // --- flags: the server sends each matter once -----------------------------------------------------------------
  function flags() {
    for (const element of document.querySelectorAll("[data-flag]")) {
      const { address, ...flag } = JSON.parse(element.dataset.flag);
      element.remove();
      host?.flag?.create({ close: "manual", ...flag, actions: address ? { [address]: flag.action } : {} });
    }
  }

  // --- downloads: a link cannot carry our header, a fetch can -------------------------------------------------
  async function sayWhyNot(answer) {
    if (isPage(answer) && answer.status !== 401) document.getElementById("notice").innerHTML = await answer.text();
    else say(["The file could not be made.", "Reload this page, then try again."]);
  }

  document.addEventListener("click", async (event) => {
    const link = event.target.closest("[data-download]");
    if (!link) return;
    event.preventDefault();
    link.setAttribute("aria-disabled", "true");
    try {
      const answer = await signedFetch(link.dataset.download);
      if (!answer.ok) { await sayWhyNot(answer); return; }
      document.getElementById("notice").replaceChildren();
      const name = /filename="?([\w.-]+)"?/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1] ?? "rollcall.csv";
      const address = URL.createObjectURL(await answer.blob());
      Object.assign(document.createElement("a"), { href: address, download: name }).click();
      setTimeout(() => URL.revokeObjectURL(address), 60_000);
    } catch (error) {
      say(error instanceof HostSilent ? NO_HOST : UNREACHABLE);
    } finally {
      link.removeAttribute("aria-disabled");
    }
  });

  // --- theme and size -----------------------------------------------------------------------------------------
  // Some hosts name only their colour themes; spacing, type and shape are ours whatever they say.
  function completeTheme() {
    const named = (page.dataset.theme ?? "").split(" ").filter(Boolean);
    const colours = ["light:light", "dark:dark"].filter((theme) => !named.some((name) => name.startsWith(theme.split(":")[0])));
    const missing = [...colours, "spacing:spacing", "typography:typography", "shape:shape"].filter((theme) => !named.includes(theme));
    if (missing.length) page.dataset.theme = [...named, ...missing].join(" ");
  }

  function fit() {
    const frame = document.querySelector(".frame");
    const dialog = document.querySelector("dialog[open]");
    const needed = Math.max(frame.offsetHeight, dialog ? dialog.offsetTop + dialog.offsetHeight + 24 : 0);
    host?.resize?.("100%", `${Math.ceil(needed)}px`);
  }

  // --- a gadget's title, and the dashboard's own "Configure" ----------------------------------------------------
  function followDashboard() {
    const gadget = () => document.querySelector("[data-gadget]");
    if (!gadget()) return;
    const title = () => gadget() && host.jira?.setDashboardItemTitle?.(gadget().dataset.title);
    const edit = () => window.htmx.ajax("GET", gadget().dataset.gadget, { target: "#main", swap: "innerHTML" });
    (host.jira?.DashboardItem ?? host.jira)?.onDashboardItemEdit?.(edit);
    document.addEventListener("htmx:after:swap", title);
    title();
  }

  function start() {
    new MutationObserver(completeTheme).observe(page, { attributeFilter: ["data-theme"] });
    new ResizeObserver(fit).observe(document.querySelector(".frame"));
    document.addEventListener("toggle", fit, true);
    const first = place();
    shown = first;
    if (!host?.context) { if (first) say(NO_HOST); return; }
    host.theming?.initializeTheming?.();
    // Panels have no place of their own in the address: it belongs to the issue, page or dashboard around them.
    if (page.dataset.panel !== undefined) {
      document.addEventListener("htmx:after:swap", () => document.querySelector("[data-focus]")?.focus());
      followDashboard();
      return;
    }
    flags();
    host.events?.on?.("flag.action", (event) => { if (event?.actionIdentifier) open(event.actionIdentifier); });
    readHistory().then((address) => { if (address && address !== shown) open(address); });
    // Hosts differ in how they tell that somebody went back; told twice, the second time finds nothing to do.
    const followHistory = () => readHistory().then((address) => { if ((address || first) !== shown) open(address || first); });
    host.history?.popState?.(followHistory);
    host.events?.on?.("history.popstate", followHistory);
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
