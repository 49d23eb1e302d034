// Small helpers every panel uses: elements, words, numbers, requests. CATALOGUE, MESSAGES, BETWEEN and AFTER are put in front by _base.compose.

/** An element: h("div", {class: "x", onclick: f}, "text", child). */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "html") element.innerHTML = value; // our own markup only, never text from outside
    else element.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat(Infinity)) if (child !== null && child !== undefined && child !== false) element.append(child);
  return element;
}

/** Set text only when it changed, so that screen readers and selections are left alone. */
export function put(element, text) {
  const next = text === null || text === undefined ? "" : String(text);
  if (element.textContent !== next) element.textContent = next;
}

export function classIf(element, name, on) {
  if (element.classList.contains(name) !== Boolean(on)) element.classList.toggle(name, Boolean(on));
}

export function show(element, on) {
  if (element.hidden === Boolean(on)) element.hidden = !on;
}

/** Runs `build` only when `key` differs from last time: lists are rebuilt when their content changes. */
export function whenChanged(build) {
  let last;
  return (key, ...rest) => {
    const now = JSON.stringify(key);
    if (now !== last) {
      last = now;
      build(key, ...rest);
    }
  };
}

const CHINESE = /[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]/;

/** One text after the other: a space stands between Chinese and other scripts, and not within Chinese. */
function joined(text, more) {
  if (text.endsWith(" ") && CHINESE.test(text.slice(-2, -1)) && CHINESE.test(more.charAt(0))) return text.slice(0, -1) + more;
  if (more.startsWith(" ") && CHINESE.test(text.slice(-1)) && CHINESE.test(more.charAt(1))) return text + more.slice(1);
  return text + more;
}

/** Renders a message {code, args}, or an argument of one: text, a number, another message, or a list of them. */
function rendered(said, language) {
  if (Array.isArray(said)) {
    const parts = said.map((part) => rendered(part, language));
    const gap = (part, i) => (i === parts.length - 1 ? "" : (/[.。]$/.test(part) ? AFTER : BETWEEN)[language]);
    return parts.map((part, i) => part + gap(part, i)).join("");
  }
  if (said === null || typeof said !== "object") return String(said);
  const [first, ...rest] = MESSAGES[said.code][language].split(/\{(\w+)\}/);
  const join = language === "zh-CN" ? joined : (text, more) => text + more;
  // A name, then the text after its place, and so on.
  return rest.reduce((text, part, i) => join(text, i % 2 ? part : rendered(said.args[part], language)), first);
}

/**
 * t(key, args): text in the chosen language, English where a translation is missing, `fallback` where both are.
 * t.said(holder, field): the sentence in a field in the chosen language where `holder.said` holds its code; a note
 * that a person wrote, a row of an old recording and any other text as it is.
 * t.message(said): a message as {code, args}.
 */
export function translator(language) {
  const texts = CATALOGUE[language] || {};
  const t = (key, args = {}, fallback = key) => {
    const pattern = texts[key] ?? CATALOGUE.en[key] ?? fallback;
    return String(pattern).replace(/\{(\w+)\}/g, (all, name) => (args[name] === undefined ? all : args[name]));
  };
  t.message = (said) => rendered(said, language);
  t.said = (holder, field) => {
    if (!holder || typeof holder !== "object") return holder || "";
    const said = (holder.said || {})[field];
    return said ? t.message(said) : holder[field] || "";
  };
  return t;
}

export function knows(key) {
  return key in CATALOGUE.en;
}

/** A sentence with a capital, unless it begins with one of the identifiers: these are shown as they are. */
export function capitalised(words, identifiers = []) {
  return identifiers.some((name) => name && words.startsWith(name)) ? words : words.charAt(0).toUpperCase() + words.slice(1);
}

/** 1.4 s · 75 s · 3 min: how old something is. */
export function age(t, seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "—";
  if (seconds < 1) return t("unit.ms", { n: Math.max(0, Math.round(seconds * 1000)) });
  if (seconds < 120) return t("unit.s", { n: seconds.toFixed(seconds < 10 ? 1 : 0) });
  return t("unit.min", { n: Math.round(seconds / 60) });
}

export function clock(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "—";
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

export function fixed(value, digits) {
  return value === null || value === undefined || !Number.isFinite(value) ? "—" : value.toFixed(digits);
}

/** A name that may be in the catalogue ("grasp" → "Grasp"), or is shown as it is. */
export function named(t, group, name) {
  return t(`${group}.${name}`, {}, name);
}

/** A button of at least 44 px. */
export function button(label, onclick, { kind = "", name = "" } = {}) {
  return h("button", { type: "button", class: `btn ${kind}`.trim(), onclick, "data-name": name || undefined }, label);
}

/** Asks before an action that cannot be undone. Focus starts on the harmless answer and returns to where it was. */
export function confirmation(host) {
  let box = null;
  let from = null;
  const close = () => {
    if (!box) return;
    box.remove();
    box = null;
    if (from && from.isConnected) from.focus();
  };
  const open = ({ title, text, no, yes, name, act }) => {
    close();
    from = document.activeElement;
    const keep = button(no, close);
    const go = button(yes, () => {
      close();
      act();
    }, { kind: "pri", name });
    box = h("div", { class: "ask", role: "alertdialog", "aria-label": title }, h("b", { class: "semi" }, title),
      h("div", { class: "s sub" }, text), h("div", { class: "row" }, keep, go));
    host.append(box);
    keep.focus();
  };
  return { open, close };
}

/** Leaves a password with the server of this page, by POST; resolves with the ticket that stands for it, else "". */
async function ticketFor(password) {
  const place = document.getElementById("jupyter-config-data");
  const { baseUrl } = place ? JSON.parse(place.textContent) : {};
  if (!baseUrl) return "";
  try {
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch(`${baseUrl}workbench/ticket`, { method: "POST", headers, body: JSON.stringify({ password }) });
    return answer.ok ? (await answer.json()).ticket : "";
  } catch {
    return "";
  }
}

let requestNumber = 0;

/** The same with a ticket in the place of its password; undefined where there is none to be had. */
async function withTicket({ password = "", ...args }) {
  if (!password) return args;
  const ticket = await ticketFor(password);
  return ticket ? { ...args, ticket } : undefined;
}

/**
 * Sends a request to Python and resolves with its answer, or with `ok: false` when none comes in time. A password among
 * the arguments, or of one of the `signers`, is posted to the server first, and a ticket goes in its place: no message
 * ever holds one.
 */
export async function request(model, name, args = {}, seconds = 30) {
  if (!args.password && !args.signers) return deliver(model, name, args, seconds); // at once, as a STOP must be
  const parts = await Promise.all([args, ...(args.signers || [])].map(withTicket));
  if (parts.includes(undefined)) return { ok: false, text: MESSAGES["page.no_exchange"].en, said: { text: { code: "page.no_exchange", args: {} } } };
  const [given, ...signers] = parts;
  return deliver(model, name, args.signers ? { ...given, signers } : given, seconds);
}

function deliver(model, name, args, seconds) {
  const id = `${Date.now()}-${(requestNumber += 1)}`;
  return new Promise((resolve) => {
    const finish = (reply) => {
      clearTimeout(timer);
      model.off("msg:custom", listen);
      resolve(reply);
    };
    const listen = (message) => {
      if (message && message.kind === "answer" && message.id === id) finish(message);
    };
    const timer = setTimeout(() => finish({ ok: false, text: "", silent: true }), seconds * 1000);
    model.on("msg:custom", listen);
    model.send({ name, args, id });
  });
}

/** Follows language and theme on a root element; returns a function that stops following. */
export function followTheme(root, model) {
  const media = window.matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const asked = model.get("theme");
    const lab = document.body.dataset.jpThemeLight;
    // Voila carries JupyterLab's attribute as well, but no switch for it: there the system's theme counts.
    const follows = document.body.dataset.voila === undefined && lab !== undefined;
    const dark = asked === "dark" || (asked === "auto" && (follows ? lab === "false" : media.matches));
    root.dataset.theme = dark ? "dark" : "light";
  };
  const observer = new MutationObserver(apply);
  observer.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  media.addEventListener("change", apply);
  model.on("change:theme", apply);
  apply();
  return () => {
    observer.disconnect();
    media.removeEventListener("change", apply);
    model.off("change:theme", apply);
  };
}

/** Renders a panel again whenever the language changes; `build(root, t)` returns its own clean-up. */
export function followLanguage(root, model, build) {
  let stop = null;
  const again = () => {
    if (stop) stop();
    const language = model.get("language");
    root.lang = language;
    root.replaceChildren();
    stop = build(root, translator(language)) || null;
  };
  model.on("change:language", again);
  again();
  return () => {
    model.off("change:language", again);
    if (stop) stop();
  };
}

/** EN / 中文, 44 px. Each language is named in itself. */
export function languageSwitch(model, t) {
  const choose = (language) => {
    model.set("language", language);
    model.save_changes();
  };
  const now = model.get("language");
  const one = (language, label, title) =>
    h("button", { type: "button", lang: language, title, "aria-pressed": String(now === language),
      class: now === language ? "on" : "", onclick: () => choose(language) }, label);
  return h("div", { class: "seg", role: "group", "aria-label": t("bar.language") },
    one("en", "EN", "English"), one("zh-CN", "中文", "简体中文"));
}
