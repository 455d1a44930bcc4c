// Copies the front-end parts out of the npm packages into the two ignored build folders.
// static/build/          what the app serves: htmx, Atlassian's design tokens, their CSS reset
// sandbox/static/build/  what the pretend Atlassian serves: both sides of the genuine Connect bridge, and the jQuery it wants
// Each package's licence goes along. Run by `make run` and `make test`; plain Node.js, no bundler.
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const top = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(top, "node_modules");
const app = join(top, "static", "build");
const sandbox = join(top, "sandbox", "static", "build");
const load = createRequire(import.meta.url);

// Light before dark: both name the element the same way, so the later one may only add to the earlier.
const THEMES = ["light", "dark", "spacing", "typography", "shape"];

function fresh(folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
}

function theme(name) {
  return load(join(modules, "@atlaskit", "tokens", "dist", "cjs", "artifacts", "themes", `atlassian-${name}.js`)).default.trim();
}

function tokens() {
  return THEMES.map(theme).join("\n\n") + "\n";
}

// For the page that has no host to tell the colours: dark where the browser is, without a script.
function tokensByBrowser() {
  const dark = theme("dark");
  const values = dark.slice(dark.indexOf("{"), dark.lastIndexOf("}") + 1);
  const rest = THEMES.filter((name) => name !== "dark").map(theme);
  return [...rest, `@media (prefers-color-scheme: dark) {\nhtml[data-color-mode][data-theme] ${values}\n}`].join("\n\n") + "\n";
}

function licence(name, folder) {
  const from = join(modules, name);
  const file = readdirSync(from).find((entry) => /^licen[cs]e/i.test(entry));
  if (!file) throw new Error(`npm package ${name} carries no licence file; look before shipping it`);
  mkdirSync(join(folder, "licenses"), { recursive: true });
  copyFileSync(join(from, file), join(folder, "licenses", `${name.replace("/", "-").replace("@", "")}.txt`));
}

if (!existsSync(modules)) throw new Error("node_modules is missing: run `npm ci` first (`make run` does)");

fresh(app);
copyFileSync(join(modules, "htmx.org", "dist", "htmx.min.js"), join(app, "htmx.min.js"));
copyFileSync(join(modules, "@atlaskit", "css-reset", "dist", "bundle.css"), join(app, "reset.css"));
writeFileSync(join(app, "tokens.css"), tokens());
writeFileSync(join(app, "tokens-by-browser.css"), tokensByBrowser());
for (const name of ["htmx.org", "@atlaskit/css-reset", "@atlaskit/tokens"]) licence(name, app);

fresh(sandbox);
cpSync(join(modules, "atlassian-connect-js", "dist"), join(sandbox, "connect"), { recursive: true });
copyFileSync(join(modules, "jquery", "dist", "jquery.min.js"), join(sandbox, "jquery.min.js"));
for (const name of ["atlassian-connect-js", "jquery"]) licence(name, sandbox);
