// The bridge modules that are the products' own: context, user, request, history, navigator, cookie.
(() => {
  const promised = (method) => Object.assign(method, { returnsPromise: true });
  const last = (list) => list[list.length - 1];

  connectHost.defineModule("context", {
    getToken: promised(async () => (await SANDBOX.ask("/host/token")).token),
    getContext: promised(async () => ({})),
  });

  connectHost.defineModule("user", {
    getCurrentUser: promised(async () => ({ atlassianAccountId: SANDBOX.user.id || null })),
    getLocale: promised(async () => "en_GB"),
    getTimeZone: promised(async () => "Europe/Zagreb"),
  });

  connectHost.defineModule("_globals", {
    getLocation: promised(async () => window.location.href),
    request: promised(async () => { throw new Error("The pretend Cloud answers no AP.request: the app asks from its server."); }),
  });

  // What follows #! in the address is the app's own state.
  const state = () => (location.hash.startsWith("#!") ? decodeURIComponent(location.hash.slice(2)) : "");
  const write = (value, way) => {
    const text = typeof value === "object" && value !== null ? value.hash || JSON.stringify(value) : String(value ?? "");
    window.history[way](null, "", text ? `#!${encodeURI(text)}` : location.pathname + location.search);
  };
  let before = state();
  connectHost.defineModule("history", {
    getState: (type, callback) => last([callback, type].filter((one) => typeof one === "function"))(state()),
    pushState: (value) => { write(value, "pushState"); before = state(); },
    replaceState: (value) => { write(value, "replaceState"); before = state(); },
    go: (delta) => window.history.go(delta),
    back: () => window.history.back(),
    forward: () => window.history.forward(),
    popState: (callback) => { waiting = callback; },
  });
  let waiting = null;
  window.addEventListener("popstate", () => {
    const event = { key: "history", newURL: location.href, oldURL: before, state: state(), hash: state() };
    before = state();
    if (waiting) { waiting(event); waiting = null; }
    connectHost.broadcastEvent("history.popstate", { addon_key: SANDBOX.state?.app_key }, event);
  });

  connectHost.defineModule("navigator", {
    go: (target, details) => {
      const { customData = {}, context = {}, moduleKey, addonKey } = details || {};
      const places = { dashboard: "/", site: "/", home: "/", addonmodule: null };
      let url = SANDBOX.base + (places[target] ?? "/");
      if (target === "addonmodule" || target === "addonModule") {
        const query = new URLSearchParams(Object.entries({ ...context, ...customData }).map(([key, value]) => [`ac.${key}`, value]));
        url = SANDBOX.address(addonKey || SANDBOX.state.app_key, moduleKey) + (query.size ? `?${query}` : "");
      }
      location.href = url;
    },
    getLocation: promised(async () => ({ target: "addonmodule", context: { addonKey: SANDBOX.state?.app_key } })),
    reload: () => location.reload(),
  });

  // A dashboard's item: the product's menu tells the app that somebody wants to configure it.
  const titles = window.SANDBOX.titles = new Map();
  const editors = window.SANDBOX.editors = new Map();
  connectHost.defineModule("jira", {
    onDashboardItemEdit: (callback) => { editors.set(callback._context.extension.key, callback); },
    setDashboardItemTitle: (title, callback) => { titles.get(callback._context.extension.key)?.(String(title)); },
    isDashboardEditable: promised(async () => true),
  });

  const jar = (name) => `sandbox-cookie-${SANDBOX.state?.app_key}-${name}`;
  connectHost.defineModule("cookie", {
    save: (name, value) => localStorage.setItem(jar(name), value),
    read: (name, callback) => callback(localStorage.getItem(jar(name)) ?? undefined),
    erase: (name) => localStorage.removeItem(jar(name)),
  });
})();
