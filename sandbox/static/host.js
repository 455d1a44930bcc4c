// The product's shell: who is logged in, the menus, and the app's page in its frame.
(() => {
  const { product, site, sites, people, base } = window.SANDBOX;
  const byId = (id) => document.getElementById(id);
  const el = (name, attributes = {}, ...children) => {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
      else node.setAttribute(key, value);
    }
    node.append(...children);
    return node;
  };

  // -- who ---------------------------------------------------------------------------------------------------
  const anonymous = { id: "", name: "Anonymous", says: "Not logged in", power: "none" };
  const everybody = [...people, anonymous];
  const stored = localStorage.getItem("sandbox-as");
  const user = stored === "anonymous" ? anonymous : everybody.find((one) => one.id === stored || one.name.split(" ")[0].toLowerCase() === stored) || people[0];
  const mayAdminister = user.power === "admin" || user.power === "product-admin";
  window.SANDBOX.user = user;

  const ask = async (path, options = {}) => {
    const url = new URL(path, location.origin);
    url.searchParams.set("product", product);
    url.searchParams.set("as", user.id);
    const answer = await fetch(url, options);
    const body = await answer.json();
    if (!answer.ok) throw new Error(body.error || `HTTP ${answer.status}`);
    return body;
  };
  window.SANDBOX.ask = ask;

  function fillPickers() {
    const users = byId("pick-user");
    for (const one of everybody) users.append(el("option", { value: one.id || "anonymous" }, `${one.name} – ${one.says}`));
    users.value = user.id || "anonymous";
    users.onchange = () => { localStorage.setItem("sandbox-as", users.value); dropAs(); };
    byId("pick-product").value = product;
    byId("pick-product").onchange = (event) => { location.href = event.target.value === "confluence" ? "/wiki" : "/"; };
    byId("pick-site").value = site;
    byId("pick-site").onchange = (event) => {
      location.href = `${sites[event.target.value]}${base}/?theme=${document.documentElement.dataset.colorMode}`;
    };
    const theme = byId("pick-theme");
    theme.value = document.documentElement.dataset.colorMode;
    theme.onchange = () => {
      localStorage.setItem("sandbox-theme", theme.value);
      document.documentElement.dataset.colorMode = theme.value;
    };
    byId("avatar").textContent = user.id ? user.name.split(" ").map((part) => part[0]).join("") : "?";
    byId("gear").hidden = !mayAdminister;
  }
  function dropAs() {
    const url = new URL(location.href);
    for (const name of ["as", "theme"]) url.searchParams.delete(name);
    if (url.href === location.href) location.reload(); else location.href = url.href;
  }

  // -- where -------------------------------------------------------------------------------------------------
  const path = location.pathname.slice(base.length);
  const [, appKey, moduleKey] = path.match(/^\/plugins\/servlet\/ac\/([^/]+)\/([^/]+)/) || [];
  const inSettings = (modules) => path.startsWith("/plugins/servlet/upm") ||
    modules.some((one) => one.key === moduleKey && one.kind !== "generalPages");
  const address = (app, module) => `${base}/plugins/servlet/ac/${app}/${module}`;
  window.SANDBOX.address = address;

  function menu(state) {
    const list = byId("menu");
    const modules = state.modules || [];
    const item = (text, href, icon) => {
      const link = el("a", { href }, el("span", { class: `icon ${icon}`, "aria-hidden": "true" }), text);
      if (new URL(link.href).pathname === location.pathname) link.setAttribute("aria-current", "page");
      return el("li", {}, link);
    };
    const still = (text, icon) => el("li", { class: "still" }, el("span", { class: `icon ${icon}`, "aria-hidden": "true" }), text);
    const head = (text) => el("li", { class: "head" }, text);
    const wanted = (kind) => modules.filter((one) => one.kind === kind).map((one) => item(one.name, address(state.app_key, one.key), "app"));
    if (inSettings(modules) && mayAdminister) {
      list.append(item("Back", `${base}/`, "back"), head(product === "jira" ? "Jira settings" : "Confluence settings"),
        still(product === "jira" ? "System" : "General configuration", "dot"), still(product === "jira" ? "Products" : "Look and feel", "dot"));
      list.append(item("Manage apps", `${base}/plugins/servlet/upm`, "puzzle"));
      if (modules.length) list.append(head("Apps"), ...wanted("adminPages"), ...wanted("configurePage"), ...wanted("postInstallPage"));
      return;
    }
    const places = product === "jira" ? ["For you", "Recent", "Projects", "Filters"] : ["For you", "Recent", "Starred", "Spaces"];
    list.append(item(places[0], `${base}/`, "home"), ...places.slice(1).map((text) => still(text, "dot")));
    if (product === "jira") {
      list.append(item("Team dashboard", `/jira/dashboards/${window.SANDBOX.dashboard.id}`, "dot"),
        item("Service desk", "/servicedesk/customer/portal/1", "dot"));
    }
    list.append(head(product === "jira" ? "Demo project" : "Demo space"),
      ...window.SANDBOX.works.map((one) => item(one.key ? `${one.key} ${one.title}` : one.title, one.address, "dot")));
    if (modules.length) list.append(head("Apps"), ...wanted("generalPages"));
    if (mayAdminister) list.append(head("Administration"), item("Manage apps", `${base}/plugins/servlet/upm`, "puzzle"), ...wanted("adminPages"));
  }

  // -- what --------------------------------------------------------------------------------------------------
  function heading(trail, text) {
    byId("trail").textContent = trail;
    byId("heading").textContent = text;
    document.title = `${text} · ${product === "jira" ? "Jira" : "Confluence"} · ${site}`;
  }

  function installPanel() {
    const note = el("p", { class: "note", role: "status" });
    const button = el("button", { type: "button", class: "primary", id: "install", onclick: async () => {
      button.disabled = true;
      note.textContent = "Installing…";
      try {
        await ask("/host/install", { method: "POST" });
        const state = await ask("/host/state");
        const next = state.modules.find((one) => one.kind === "postInstallPage") || state.modules[0];
        location.href = next ? address(state.app_key, next.key) : `${base}/`;
      } catch (error) {
        note.textContent = `It did not work: ${error.message}`;
        button.disabled = false;
      }
    } }, "Install Rollcall");
    return el("section", { class: "panel install" }, el("span", { class: "big-mark", "aria-hidden": "true" }),
      el("div", {}, el("h2", {}, `Rollcall is not installed in ${product === "jira" ? "Jira" : "Confluence"} of ${site}`),
        el("p", {}, "Installing fetches its descriptor, makes a shared secret and tells the app, exactly as Atlassian does."),
        button, note));
  }

  function manageApps(state) {
    heading("Settings", "Manage apps");
    if (!mayAdminister) return byId("content").append(el("p", {}, "Only administrators can manage apps."));
    if (!state.installed) return byId("content").append(installPanel());
    const links = state.modules.filter((one) => ["configurePage", "postInstallPage"].includes(one.kind)).map((one) =>
      el("a", { class: "button", href: address(state.app_key, one.key) }, one.kind === "configurePage" ? "Configure" : "Get started"));
    const note = el("p", { class: "note", role: "status" });
    const act = (path, done) => async () => {
      try {
        await ask(path, { method: "POST" });
        note.textContent = done;
        if (path.endsWith("uninstall")) location.reload();
      } catch (error) { note.textContent = error.message; }
    };
    byId("content").append(el("section", { class: "panel" }, el("h2", {}, state.app_name), el("p", { class: "subtle" }, state.app_key),
      el("div", { class: "buttons" }, ...links,
        el("button", { type: "button", onclick: act("/host/install", "Installed again, with a new secret.") }, "Update"),
        el("button", { type: "button", id: "uninstall", onclick: act("/host/uninstall", "Uninstalled.") }, "Uninstall")), note));
  }

  function home(state) {
    heading("", product === "jira" ? "For you" : "Home");
    if (!state.installed) byId("content").append(installPanel());
    const rows = window.SANDBOX.works.map((one) => (product === "jira" ? [one.key, one.title, one.address] : [one.title, "Demo space", one.address]));
    byId("content").append(el("section", { class: "panel" }, el("h2", {}, product === "jira" ? "Worked on" : "Pick up where you left off"),
      el("ul", { class: "rows" }, ...rows.map(([one, two, href]) => el("li", {}, el("a", { href }, el("b", {}, one)), el("span", {}, two))))));
  }

  async function appPage(state) {
    const module = (state.modules || []).find((one) => one.key === moduleKey && state.app_key === appKey);
    if (!state.installed) { heading("Apps", "Not installed"); return byId("content").append(installPanel()); }
    if (!module) { heading("Apps", "No such page"); return byId("content").append(el("p", {}, "The app has no page with this key.")); }
    const settings = module.kind !== "generalPages";
    heading(settings ? `Settings / ${state.app_name}` : `Apps / ${state.app_name}`, module.name);
    document.body.classList.add("framed");
    const query = new URL(location.href).search.slice(1).split("&").filter((part) => part.startsWith("ac."));
    const fresh = async () => (await ask(`/host/frame?module=${encodeURIComponent(module.key)}&${query.join("&")}`)).url;
    connectHost.registerContentResolver.resolveByExtension(() => {
      const promise = jQuery.Deferred();
      fresh().then((url) => promise.resolve({ url }), (error) => promise.reject({}, { text: error.message }));
      return promise;
    });
    const frame = connectHost.create({ addon_key: state.app_key, key: module.key, url: await fresh(),
      options: { isFullPage: true, autoresize: true, moduleType: module.kind, productContext: {} } });
    jQuery("#content").append(frame);
  }

  window.addEventListener("DOMContentLoaded", async () => {
    fillPickers();
    const state = await ask("/host/state");
    window.SANDBOX.state = state;
    menu(state);
    if (window.SANDBOX.work || window.SANDBOX.place) await window.SANDBOX.drawWork(state, { el, heading, byId, ask });
    else if (moduleKey) await appPage(state);
    else if (path.startsWith("/plugins/servlet/upm")) manageApps(state);
    else home(state);
    document.body.dataset.ready = "true";
  });
})();
