// Before anything is drawn: the colours chosen last time (or asked for in the address).
const wanted = new URLSearchParams(location.search);
for (const name of ["theme", "as"]) if (wanted.has(name)) localStorage.setItem(`sandbox-${name}`, wanted.get(name));
document.documentElement.dataset.colorMode = localStorage.getItem("sandbox-theme") === "dark" ? "dark" : "light";
