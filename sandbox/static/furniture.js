// Flags and dialogs, drawn by the product for the app.
(() => {
  const adaptor = connectHost.getFrameworkAdaptor();
  const register = (name, provider) => adaptor.registerModule({
    getModuleRegistrationName: () => name, isEnabled: () => true, getProvider: () => provider,
  });
  const make = (name, className, text) => {
    const node = document.createElement(name);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  };

  // -- flags -------------------------------------------------------------------------------------------------
  register("flag", {
    create: ({ id, title, body, actions, onClose, close, type }) => {
      const flag = make("div", `flag ${type}`);
      flag.setAttribute("role", type === "error" || type === "warning" ? "alert" : "status");
      const words = make("div", "words");
      words.append(make("strong", "", title), make("p", "", body || ""));
      const links = make("div", "actions");
      for (const action of actions || []) {
        const button = make("button", "link", action.actionText);
        button.type = "button";
        button.onclick = () => action.executeAction();
        links.append(button);
      }
      if (links.children.length) words.append(links);
      const dismiss = make("button", "dismiss", "×");
      dismiss.type = "button";
      dismiss.setAttribute("aria-label", "Dismiss");
      const remove = () => { if (flag.isConnected) { flag.remove(); onClose(id); } };
      dismiss.onclick = remove;
      flag.append(make("span", "sign"), words, dismiss);
      document.getElementById("flags").prepend(flag);
      if (close === "auto") setTimeout(remove, 8000);
      return { close: remove };
    },
  });

  // -- dialogs -----------------------------------------------------------------------------------------------
  const SIZES = { small: ["400px", "220px"], medium: ["600px", "400px"], large: ["800px", "560px"], xlarge: ["968px", "680px"],
    fullscreen: ["100%", "100%"], maximum: ["100%", "100%"] };
  let active = null;
  const finish = () => {
    if (!active) return;
    const { node, extension } = active;
    active = null;
    node.close();
    node.remove();
    if (extension.id) connectHost.destroy(extension.id);
  };
  const buttons = () => active?.buttons ?? new Map();
  const addButton = (action, primary) => {
    const button = make("button", primary ? "primary" : "", action.text);
    button.type = "button";
    button.disabled = Boolean(action.disabled) && action.identifier !== "submit";
    button.hidden = Boolean(action.hidden);
    button.onclick = () => { action.onClick(); if (action.identifier === "cancel") finish(); };
    active.buttons.set(action.identifier, button);
    active.footer.append(button);
  };

  register("dialog", {
    create: async (options, extension) => {
      finish();
      const node = make("dialog", "modal");
      const [width, height] = SIZES[options.size] || [options.width, options.height];
      const frame = make("div", "modal-frame");
      node.style.width = /^\d+$/.test(width) ? `${width}px` : width || "600px";
      frame.style.height = /^\d+$/.test(height) ? `${height}px` : height || "400px";
      const footer = make("footer");
      active = { node, extension, footer, buttons: new Map(), addon: extension.addon_key };
      if (options.header) { node.append(make("h2", "", options.header)); node.setAttribute("aria-label", options.header); }
      node.append(frame);
      if (options.chrome) { node.append(footer); for (const action of options.actions || []) addButton(action, action.identifier === "submit"); }
      document.body.append(node);
      node.addEventListener("cancel", (event) => {
        event.preventDefault();
        if (extension.options.preventDialogCloseOnEscape) return;
        connectHost.broadcastEvent("dialog.close", { addon_key: extension.addon_key }, {});
        finish();
      });
      node.showModal();
      const { url } = await SANDBOX.ask(`/host/frame?module=${encodeURIComponent(extension.key)}`);
      Object.assign(extension.options, { isDialog: true, dialogId: options.id });
      extension.url = url;
      const content = connectHost.create(extension);
      jQuery(frame).append(content);
    },
    close: finish,
    isActiveDialog: (addon) => active?.addon === addon,
    createButton: (action) => addButton(action, false),
    isButtonDisabled: (name) => buttons().get(name)?.disabled ?? false,
    setButtonDisabled: (name, off) => { const button = buttons().get(name); if (button) button.disabled = off; },
    toggleButton: (name) => { const button = buttons().get(name); if (button) button.disabled = !button.disabled; },
    isButtonHidden: (name) => buttons().get(name)?.hidden ?? false,
    setButtonHidden: (name, off) => { const button = buttons().get(name); if (button) button.hidden = off; },
  });
})();
