// The live session: one screen, three columns. Python sends the engine's status; this file shows it and sends requests.
import { banner, effectorPanel, ledgerPanel, stopButton } from "./parts/consequences.js";
import { cuePanel } from "./parts/cue.js";
import { classIf, followLanguage, followTheme, h, request, show } from "./parts/dom.js";
import { evidencePanel } from "./parts/evidence.js";
import { WARNING } from "./parts/icons.js";
import { electrodesPanel, streamsPanel } from "./parts/inputs.js";
import { runStrip } from "./parts/run_strip.js";
import { SignalBuffer, scopePanel } from "./parts/scope.js";
import { stimulationPanel } from "./parts/stimulation.js";
import { topbar } from "./parts/topbar.js";

const SILENT_S = 2.5;
const HERE_MS = 10000;
const PANELS = {
  streams: streamsPanel, electrodes: electrodesPanel, cue: cuePanel, evidence: evidencePanel, scope: scopePanel, stimulation: stimulationPanel,
  effector: effectorPanel, ledger: ledgerPanel, run: runStrip, stop: stopButton, bar: topbar, banner,
};

/** State that survives a change of language: the samples, the cues seen, the last STOP. */
function makeStore() {
  return { page: crypto.randomUUID ? crypto.randomUUID() : `page-${Math.random()}`, buffer: new SignalBuffer(), cues: [], levels: [], decidedAt: -Infinity, noise: [], kind: "", beatAt: performance.now(), stop: null, hardware: "", refusal: null, told: null, run: null, shown: {}, screen: null };
}

/** Remembers when cues began, in stream time, for the shading of scope and evidence. */
function noteCue(store, status) {
  const now = store.buffer.now();
  const run = status.run;
  if (now === null || !run) return;
  if (store.run !== run.id) { store.cues = []; store.run = run.id; }
  const cue = run.state === "running" ? run.cue : null;
  const last = store.cues[store.cues.length - 1];
  const same = last && cue && last.label === cue.label && last.trial === cue.trial;
  if (last && last.to === null && !same) last.to = Math.min(now, last.from + (last.duration || now));
  if (cue && !same) store.cues.push({ label: cue.label, trial: cue.trial, from: now - (cue.elapsed_s || 0), to: null, duration: cue.duration_s });
  store.cues = store.cues.slice(-40);
}

/** Remembers the level that the device reported, for the band under the evidence. */
function noteLevel(store, status) {
  const e = status.effector || {};
  const at = performance.now() / 1000;
  if (e.confirmed) store.levels.push([at, e.confirmed.level, e.confirmed.age_s]);
  store.levels = store.levels.filter(([then]) => at - then <= 12);
}

function makeContext(model, store, t) {
  const status = () => model.get("status") || {};
  const signal = () => (status().streams || []).find((one) => one.role === "signal");
  const ctx = {
    model, store, t, status, buffer: store.buffer, warning: WARNING,
    form: () => model.get("form") || {},
    /** Visit, view and signed-in person; empty in a notebook. */
    place: () => model.get("place") || {},
    refusal: () => (!store.refusal ? "" : store.refusal.silent ? t("ask.silent") : t.said(store.refusal, "text")),
    told: () => (store.told ? t(store.told.key, store.told.args) : ""),
    link() {
      const link = model.get("link") || {};
      const seconds = (performance.now() - store.beatAt) / 1000;
      const lost = link.state === "lost" || (link.state === "live" && seconds > SILENT_S);
      return { ...link, lost, age: link.state === "lost" ? (link.age_s || 0) + seconds : seconds };
    },
    running: () => (status().run || {}).state === "running",
    /** Whether there is a run, including one that is paused or still compiling. */
    goes: () => ["compiling", "running", "paused"].includes((status().run || {}).state),
    signalName: () => (signal() || {}).name || t("scope.signal"),
    signalLost: () => ["lost", "missing"].includes((signal() || {}).state),
    blocked() {
      const e = status().effector;
      if (ctx.signalLost()) return t("why.needs_stream", { stream: ctx.signalName() });
      return e && e.state === "FAULT_SAFE" ? t("why.needs_selftest") : "";
    },
    /** Cue bands as [from, to, still open], s before now. */
    bands(span) {
      const now = store.buffer.now();
      if (now === null) return [];
      return store.cues.filter((cue) => cue.label !== "rest" && (cue.to === null || cue.to > now - span))
        .map((cue) => [Math.max(-span, cue.from - now), cue.to === null ? 0 : Math.min(0, cue.to - now), cue.to === null]);
    },
    ask(name, args = {}, seconds = 30) {
      return request(model, name, args, seconds).then((reply) => {
        store.told = null;
        if (name !== "stop") store.refusal = reply.ok ? null : reply; // told in the language that is chosen
        ctx.refresh();
        return reply;
      });
    },
  };
  return ctx;
}

function layout(root, panels, chosen) {
  const column = (...names) => h("div", { class: "col" }, names.map((name) => panels[name].el));
  if (chosen.length) {
    root.classList.add("solo");
    root.append(h("div", { class: "app" }, chosen.map((name) => panels[name].el)));
    return;
  }
  const middle = h("div", { class: "col middle" }, h("div", { class: "top" }, panels.cue.el, panels.evidence.el), panels.stimulation.el, panels.scope.el);
  const inputs = column("streams", "electrodes");
  inputs.classList.add("inputs");
  root.append(h("div", { class: "shell" }, panels.bar.el, panels.banner.el), h("main", { class: "app" }, panels.run.el,
    h("div", { class: "main" }, inputs, middle, column("effector", "ledger"))), panels.stop.el);
}

function build(root, model, store, t) {
  const ctx = makeContext(model, store, t);
  const chosen = (model.get("panels") || []).filter((name) => name in PANELS);
  const panels = {};
  for (const name of chosen.length ? chosen : Object.keys(PANELS)) panels[name] = PANELS[name](ctx);
  ctx.toggleInputs = () => classIf(root, "drawer", !root.classList.contains("drawer"));
  const shown = Object.values(panels);
  ctx.refresh = () => {
    for (const panel of shown) panel.update(ctx.status());
    tick();
    dock();
  };
  function tick() {
    for (const panel of shown) if (panel.tick) panel.tick();
    if (panels.banner) panels.banner.update(ctx.status());
    if (panels.stop) panels.stop.update(ctx.status());
    root.classList.toggle("lost", ctx.link().lost);
  }
  /** Outside the live view the panels make room for another widget; bar, alarms and STOP stay where they are. */
  function dock() {
    if (chosen.length) return;
    const docked = ![undefined, "", "run"].includes(ctx.place().view);
    classIf(root, "docked", docked);
    show(root.querySelector("main.app"), !docked);
    root.style.height = docked ? `${root.querySelector(".shell").offsetHeight}px` : "";
  }
  const beat = () => {
    store.beatAt = performance.now();
    noteCue(store, ctx.status());
    noteLevel(store, ctx.status());
    if (ctx.running()) store.decidedAt = store.beatAt;
    ctx.refresh();
  };
  const signals = (message, buffers) => {
    if (message && message.kind === "said") {
      store.refusal = message.key ? null : message;
      store.told = message.key ? message : null;
      ctx.refresh();
    }
    if (message && message.kind === "presence") answer(message.challenge);
    if (!message || message.kind !== "signals") return;
    const view = buffers && buffers[0];
    // Copied: the view may not begin at a multiple of 4 bytes, which Float32Array requires.
    const values = view ? new Float32Array(view.buffer ? view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength) : view) : new Float32Array(0);
    store.buffer.push(message, values);
    if (panels.scope) panels.scope.draw();
  };
  const escape = (event) => {
    if (event.key !== "Escape" || !root.isConnected || !panels.stop || !panels.stop.el.checkVisibility()) return;
    if (ctx.link().state === "none") return; // without an engine there is nothing to stop: Escape closes dialogs
    event.preventDefault();
    if (!event.repeat) panels.stop.press();
  };
  const link = () => {
    if (ctx.link().state === "none") { // nothing of an ended session may look live
      store.buffer.reset("", 0, []);
      store.cues = [];
      store.levels = [];
      store.decidedAt = -Infinity;
      store.noise = [];
      store.stop = null;
    }
    ctx.refresh();
  };
  const present = (challenge, visible) => model.send({ name: "presence", args: { page: store.page, challenge, visible }, id: "presence" });
  // Only a visible page answers, and it answers each challenge of the engine once.
  const answer = (challenge) => {
    store.challenge = challenge;
    if (document.visibilityState === "visible") present(challenge, true);
  };
  const hidden = () => {
    if (store.challenge && document.visibilityState !== "visible") present(store.challenge, false);
  };
  const leave = () => { if (store.challenge) present(store.challenge, false); };
  layout(root, panels, chosen);
  model.on("change:beat", beat);
  model.on("change:link", link);
  model.on("change:form change:place", ctx.refresh);
  document.addEventListener("visibilitychange", hidden);
  window.addEventListener("pagehide", leave);
  model.on("msg:custom", signals);
  document.addEventListener("keydown", escape, true);
  const timer = setInterval(tick, 250);
  const sizes = new ResizeObserver(() => ctx.refresh());
  sizes.observe(root);
  ctx.refresh();
  return () => {
    clearInterval(timer);
    sizes.disconnect();
    document.removeEventListener("keydown", escape, true);
    model.off("change:beat", beat);
    model.off("change:link", link);
    model.off("change:form change:place", ctx.refresh);
    document.removeEventListener("visibilitychange", hidden);
    window.removeEventListener("pagehide", leave);
    model.off("msg:custom", signals);
  };
}

function render({ model, el }) {
  const root = h("div", { class: "wb wb-live" });
  el.append(root);
  const store = makeStore();
  const stopTheme = followTheme(root, model);
  const stopLanguage = followLanguage(root, model, (host, t) => build(host, model, store, t));
  const tell = (name, visible = document.visibilityState === "visible") => model.send({ name, args: { page: store.page, visible }, id: name });
  const seen = () => tell("here");
  const gone = () => tell("here", false);
  tell("hello");
  const here = setInterval(seen, HERE_MS);
  document.addEventListener("visibilitychange", seen);
  window.addEventListener("pagehide", gone);
  return () => {
    clearInterval(here);
    document.removeEventListener("visibilitychange", seen);
    window.removeEventListener("pagehide", gone);
    gone();
    stopLanguage();
    stopTheme();
  };
}

export default { render };
