// The control page: a face for /control.
(() => {
  const $ = (selector) => document.querySelector(selector);
  const all = (selector) => document.querySelectorAll(selector);
  const call = async (method, path, body) => {
    const answer = await fetch(path, { method, headers: body ? { "Content-Type": "application/json" } : {}, body: body && JSON.stringify(body) });
    const data = await answer.json();
    if (!answer.ok) throw new Error(data.error || `HTTP ${answer.status}`);
    return data;
  };
  const cell = (text, className) => { const td = document.createElement("td"); td.append(text); if (className) td.className = className; return td; };
  const row = (...cells) => { const tr = document.createElement("tr"); tr.append(...cells); return tr; };
  const button = (text, act) => { const node = document.createElement("button"); node.type = "button"; node.textContent = text; node.onclick = act; return node; };

  async function installs() {
    const tenants = await call("GET", "/control/tenants");
    for (const line of all("#doors tbody tr")) {
      const { site, product } = line.dataset;
      const here = tenants.some((one) => one.site === site && one.product === product);
      line.querySelector(".installed").textContent = here ? "Installed" : "Not installed";
      line.querySelector("[data-deed=install]").textContent = here ? "Install again" : "Install";
      line.querySelector("[data-deed=uninstall]").disabled = !here;
      for (const deed of line.querySelectorAll("[data-deed]")) deed.onclick = async () => {
        try {
          const done = await call("POST", `/control/${deed.dataset.deed}`, { site, product });
          $("#installs-note").textContent = `${product} of ${site}: the app answered ${done.status}.`;
        } catch (error) { $("#installs-note").textContent = error.message; }
        installs();
      };
    }
  }

  for (const node of all("[data-copy]")) node.onclick = async () => {
    await navigator.clipboard.writeText(node.dataset.copy);
    const text = node.textContent;
    node.textContent = "Copied";
    setTimeout(() => { node.textContent = text; }, 1500);
  };
  for (const node of all("[data-expire]")) node.onclick = async () => {
    await call("POST", `/control/keys/${node.dataset.expire}/expire?expired=${node.dataset.expired === "0"}`);
    location.reload();
  };

  async function faults() {
    const list = await call("GET", "/control/faults");
    $("#faults").replaceChildren(...list.map((fault) => {
      const item = document.createElement("li");
      const bold = document.createElement("b");
      bold.textContent = fault.kind;
      item.append(bold, `${fault.match} · ${fault.hits} of ${fault.times ?? "any number of"} times · ${fault.seconds} s`);
      return item;
    }));
  }
  $("#fault").onsubmit = async (event) => {
    event.preventDefault();
    const data = Object.fromEntries(new FormData(event.target));
    await call("POST", "/control/faults", { ...data, times: Number(data.times), seconds: Number(data.seconds) });
    faults();
  };
  $("#clear-faults").onclick = async () => { await call("DELETE", "/control/faults"); faults(); };

  async function subscriptions() {
    const paid = await call("GET", "/control/subscriptions");
    for (const [site, pays] of Object.entries(paid)) {
      $(`.subscription[data-site=${site}]`).textContent = pays ? "Has a paid subscription" : "Has no paid subscription: nobody can be invited (402)";
      const deed = $(`[data-subscription=${site}]`);
      deed.textContent = pays ? "End the subscription" : "Pay again";
      deed.onclick = async () => { await call("PUT", "/control/subscriptions", { site, paid: !pays }); subscriptions(); };
    }
  }

  async function people() {
    const wanted = new URLSearchParams([...new FormData($("#search"))].filter(([, value]) => value));
    wanted.set("limit", "12");
    const site = wanted.get("site");
    const change = (person, body) => async () => { await call("PATCH", `/control/people/${person.account_id}?site=${site}`, body); people(); };
    const list = await call("GET", `/control/people?${wanted}`);
    $("#people").replaceChildren(...list.map((person) => {
      const who = document.createElement("div");
      const under = document.createElement("div");
      under.className = "subtle";
      under.textContent = `${person.email} · ${person.kind}`;
      who.append(person.name, under);
      const seen = Object.entries(person.last_active).map(([product, moment]) => `${product}: ${moment ? moment.slice(0, 10) : "never"}`).join(", ");
      const deeds = document.createElement("span");
      deeds.append(button("Came back today", change(person, { last_active: new Date().toISOString() })), " ",
        button(person.membership === "suspended" ? "Restore" : "Suspend", change(person, { membership_status: person.membership === "suspended" ? "active" : "suspended" })));
      if (person.kind === "invited-never-came") deeds.append(" ",
        button("Accept the invitation", async () => { await call("POST", `/control/people/${person.account_id}/accept?site=${site}`); people(); }));
      return row(cell(who), cell(`${person.shown_status}`), cell(seen || "no product"), cell(deeds, "buttons"));
    }));
  }
  $("#idp-sync").onclick = async () => {
    const site = new FormData($("#search")).get("site");
    const done = await call("POST", `/control/idp-sync?site=${site}`);
    $("#idp-note").textContent = `The identity provider of ${site} ran: ${done.returned} put back into its groups.`;
  };
  $("#search").onsubmit = (event) => { event.preventDefault(); people(); };

  async function requests() {
    const list = await call("GET", "/control/requests?limit=20000");
    $("#requests").replaceChildren(...list.slice(-40).reverse().map((one) =>
      row(cell(String(one.n)), cell(`${one.method} ${one.path}${one.query ? `?${one.query}` : ""}`),
        cell(one.status ? String(one.status) : one.fault || "cut off", one.status >= 400 || !one.status ? "bad" : ""), cell(one.ms.toFixed(0)))));
  }
  $("#refresh").onclick = requests;
  $("#forget").onclick = async () => { await call("DELETE", "/control/requests"); requests(); };
  $("#reset").onclick = async () => {
    if (!confirm("Back to the first day?")) return;
    await call("POST", "/control/reset");
    location.reload();
  };
  installs(); faults(); subscriptions(); people(); requests();
})();
