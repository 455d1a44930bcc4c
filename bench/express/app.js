// Atlassian's own Express library doing what bench/bare_app.py does.
// Environment: PORT, AC_LOCAL_BASE_URL, CONNECT_KEYS_CDN_URL (the library's own names), PAGE (the HTML to answer),
// STORE: "memory", its best case, or the SQLite file for its own default store, which is the same work as ours.
const ace = require("atlassian-connect-express");
const express = require("express");

ace.store.register("memory", () => {
  const tenants = new Map();
  return {
    isMemoryStore: () => true,
    get: async (key, clientKey) => tenants.get(`${key}:${clientKey}`),
    set: async (key, value, clientKey) => {
      tenants.set(`${key}:${clientKey}`, value);
      return value;
    },
    del: async (key, clientKey) => tenants.delete(`${key}:${clientKey}`),
    saveInstallation: async (value, clientKey) => {
      tenants.set(`clientInfo:${clientKey}`, value);
      return value;
    },
    getClientSettings: async (clientKey) => tenants.get(`clientInfo:${clientKey}`),
  };
});

const quiet = { info() {}, warn() {}, error: console.error };
const app = express();
const inFile = { adapter: "sequelize", dialect: "sqlite", storage: process.env.STORE, logging: false };
const store = process.env.STORE === "memory" ? { adapter: "memory" } : inFile;
const addon = ace(app, { config: { production: { store } } }, quiet);
app.use(express.urlencoded({ extended: false }));
app.use(express.json());
app.use(addon.middleware());

app.get("/healthz", (_request, response) => response.send("ok"));
app.get("/pages/app", addon.authenticate(), (_request, response) => response.type("html").send(process.env.PAGE));
app.get("/app/whoami", addon.checkValidToken(), (request, response) => {
  response.type("html").send(`<p>${request.context.userAccountId || "nobody"}</p>`);
});
app.listen(Number(process.env.PORT), "127.0.0.1");
