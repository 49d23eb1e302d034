// Stands in for the notebook around one widget: the model interface, and a way for the test to speak as Python.
const modules = {};
const mounted = [];
// And for the server of a page: it takes a password and gives the ticket that stands for it in a message.
const config = { id: "jupyter-config-data", type: "application/json", textContent: '{"baseUrl": "/"}' };
document.head.append(Object.assign(document.createElement("script"), config));
window.left = {};
const fetched = window.fetch.bind(window);
window.fetch = async (path, options = {}) => {
  if (String(path).startsWith("blob:")) return fetched(path, options);
  const { method, body, headers } = options;
  if (path !== "/workbench/ticket" || method !== "POST" || headers["Content-Type"] !== "application/json") return { ok: false };
  const ticket = `ticket ${Object.keys(window.left).length + 1}`;
  window.left[ticket] = JSON.parse(body).password;
  return { ok: true, json: async () => ({ ticket }) };
};
// As in a notebook, whose page stays: what stood here is taken away by its own means, a module is loaded once.
window.clear = (style, places) => {
  while (mounted.length) mounted.pop()?.();
  delete document.visibilityState; // of a test that hid the page
  document.querySelector("style").textContent = style;
  document.body.replaceChildren(...places.map((id) => Object.assign(document.createElement("div"), { id })));
  window.scrollTo(0, 0);
};
window.load = async (name, esm) => {
  modules[name] = await import(URL.createObjectURL(new Blob([esm], { type: "text/javascript" }))); // as anywidget does
};
window.mount = (name, traits, place) => {
  const listeners = {};
  const state = { ...traits };
  window.sent = [];
  const model = {
    get: (name) => state[name],
    set: (name, value) => { state[name] = value; window.emit(`change:${name}`); },
    save_changes: () => {},
    on: (names, f) => names.split(" ").forEach((name) => (listeners[name] ||= []).push(f)),
    off: (names, f) => names.split(" ").forEach((name) => { listeners[name] = (listeners[name] || []).filter((g) => g !== f); }),
    send: (message) => window.sent.push(message),
  };
  window.emit = (name, ...args) => (listeners[name] || []).slice().forEach((f) => f(...args));
  window.put = (values) => {
    Object.assign(state, values);
    for (const name of Object.keys(values)) window.emit(`change:${name}`);
  };
  window.say = (message, bytes) => window.emit("msg:custom", message, bytes ? [new DataView(Uint8Array.from(bytes).buffer)] : []);
  window.signals = (message, seed) => {
    const values = new Float32Array(message.n * message.names.length);
    let s = seed;
    const random = () => { s = (Math.imul(s, 1103515245) + 12345) & 0x7fffffff; return s / 0x80000000 - 0.5; };
    const slow = message.names.map(() => 0);
    for (let i = 0; i < message.n; i += 1) {
      message.names.forEach((name, c) => {
        slow[c] = 0.985 * slow[c] + 12 * random();
        values[i * message.names.length + c] = 500 * c + slow[c] * 1.6 + 14 * random() + (name === "E6" ? 60 * Math.sin(2 * Math.PI * 50 * i / 1000) : 0);
      });
    }
    window.emit("msg:custom", { kind: "signals", ...message }, [new DataView(values.buffer)]);
  };
  window.heard = () => Object.values(listeners).flat().length;
  window.unmount = modules[name].default.render({ model, el: document.getElementById(place) });
  mounted.push(window.unmount);
};
