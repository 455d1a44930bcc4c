// An issue, a page or a dashboard, with the app's modules where the product puts them.
(() => {
  const { product, work, dashboard } = window.SANDBOX;

  window.SANDBOX.drawWork = async (state, { el, heading, byId, ask }) => {
    const content = byId("content");
    const panels = (kind) => (state.panels || []).filter((one) => one.kind === kind);

    async function module(one, width = "100%") {
      const place = work ? work.id : dashboard.id;
      const fresh = async () => (await ask(`/host/frame?module=${encodeURIComponent(one.key)}&work=${place}`)).url;
      const frame = connectHost.create({ addon_key: state.app_key, key: one.key, url: await fresh(),
        options: { isFullPage: false, autoresize: true, moduleType: one.kind, productContext: {} } });
      const box = el("div", { class: "module", "data-module": one.key });
      box.style.width = width;
      jQuery(box).append(frame);
      return box;
    }

    async function issue() {
      heading("Projects / Demo / " + work.key, work.title);
      const details = el("section", { class: "panel" }, el("h2", {}, "Details"),
        el("dl", {}, ...work.people.flatMap(([role, name]) => [el("dt", {}, role), el("dd", {}, el("bdi", {}, name))])));
      const aside = el("aside", {}, details);
      content.append(el("div", { class: "work" }, el("article", { class: "panel" }, el("h2", {}, "Description"),
        el("p", { class: "subtle" }, "Add a description…")), aside));
      for (const one of panels("jiraIssueContexts")) aside.append(el("section", { class: "panel" }, el("h2", {}, one.name), await module(one)));
    }

    async function page() {
      heading("Demo space", work.title);
      const byline = el("div", { class: "byline" }, ...work.people.map(([role, name]) => el("span", {}, `${role} `, el("bdi", {}, name))));
      content.append(byline);
      for (const one of panels("contentBylineItems")) {
        const spot = el("span", {});
        const button = el("button", { type: "button", "aria-expanded": "false", onclick: async () => {
          const open = spot.querySelector(".inline-dialog");
          if (open) { open.remove(); button.setAttribute("aria-expanded", "false"); return; }
          spot.append(el("div", { class: "inline-dialog", role: "dialog", "aria-label": one.name }, await module(one, "360px")));
          button.setAttribute("aria-expanded", "true");
        } }, one.name);
        spot.append(button);
        byline.append(spot);
      }
      content.append(el("article", {}, el("p", {}, "We meet on Mondays. Whoever was there writes down what was said."), el("p", {}, "Everybody may change this page.")));
      for (const one of panels("webPanels")) content.append(await module(one));
    }

    async function board() {
      heading("Dashboards", dashboard.name);
      const items = el("div", { class: "dashboard" });
      content.append(items);
      for (const one of panels("jiraDashboardItems")) {
        const title = el("h2", {}, one.name);
        window.SANDBOX.titles.set(one.key, (text) => { title.textContent = text; });
        items.append(el("section", { class: "panel" }, el("header", {}, title,
          el("button", { type: "button", onclick: () => window.SANDBOX.editors.get(one.key)?.() }, "Configure")), await module(one)));
      }
      items.append(el("section", { class: "panel" }, el("h2", {}, "Assigned to me"), el("p", { class: "subtle" }, "You have no open issues.")));
    }

    if (!state.installed) { heading("", work ? work.title : dashboard.name); content.append(el("p", {}, "Rollcall is not installed here.")); return; }
    await (work ? (product === "jira" ? issue() : page()) : board());
  };
})();
