// The evidence with both thresholds and the dwell: why the effector moves, or why it does not.
import { age, classIf, fixed, h, named, put, show, whenChanged } from "./dom.js";
import { light } from "./icons.js";
import { phaseRing } from "./ring.js";
import { stateBars } from "./states.js";

const SPAN = 10;
const FRESH_S = 2;

/** How the decoder adapts, on one line that counts whole seconds; nothing for a decoder that does not adapt. */
function adaptingLine(ctx) {
  const { t } = ctx;
  const words = h("span");
  const back = h("span", { role: "status", "data-name": "rolled-back" });
  const el = h("div", { class: "adapting s sub", "data-name": "adapting", hidden: true }, words, " ", back);
  const drawBack = whenChanged(([n, ended]) => {
    const times = n ? [light("medium", n === 1 ? t("evidence.adapt.back_once") : t("evidence.adapt.back", { n }))] : [];
    const end = ended ? [light("medium", t("evidence.adapt.ended"))] : [];
    back.replaceChildren(...[...times, ...end].flatMap((part, i) => (i ? [" ", part] : [part])));
  });
  const drawWords = whenChanged(([parts, more]) => {
    const whole = parts.map((part, i) => h("span", { class: "part" }, more || i < parts.length - 1 ? `${part} ·` : part));
    words.replaceChildren(...whole.flatMap((part, i) => (i ? [" ", part] : [part])));
  });
  const last = (seconds) => (seconds < FRESH_S ? t("evidence.adapt.fresh")
    : t("evidence.adapt.last", { age: seconds < 120 ? t("unit.s", { n: Math.floor(seconds) }) : age(t, seconds) }));
  return {
    el,
    update(run) {
      const one = (run && run.adapting) || {};
      show(el, Boolean(one.rule));
      if (!one.rule) return drawBack([0, false]);
      const goes = ctx.goes();
      const none = goes ? t("evidence.adapt.no_update") : t("evidence.adapt.no_updates");
      const parts = [t(goes ? "evidence.adapt.now" : "evidence.adapt.over", { rule: named(t, "adapt", one.rule) }),
        one.updates === 1 ? t("evidence.adapt.update") : one.updates ? t("evidence.adapt.updates", { n: one.updates }) : none,
        goes && Number.isFinite(one.age_s) ? last(one.age_s) : ""].filter(Boolean);
      drawWords([parts, one.rolled_back > 0 || Boolean(one.ended)]);
      el.title = one.head ? t("evidence.adapt.head", { hash: one.head.slice(0, 12) }) : "";
      return drawBack([one.rolled_back, Boolean(one.ended)]);
    },
  };
}

const held = (e) => Object.entries(e.agreed || {}).filter(([role, agrees]) => role !== "signal" && !agrees).length > 0;

/** Whether each stream that can hold back the signal agrees; nothing where none can. */
function gatesLine(ctx) {
  const { t } = ctx;
  const el = h("div", { class: "gates s", role: "status", "data-name": "gates", hidden: true });
  const draw = whenChanged((gates) => el.replaceChildren(...gates.map(([stream, agrees]) => light(agrees ? "ok" : "off", t(agrees ? "evidence.agrees" : "evidence.disagrees", { stream }), false))));
  return {
    el,
    update(e, valid, streams) {
      const name = (role) => ((streams || []).find((one) => one.role === role) || { type: role }).type;
      const gates = valid ? Object.entries(e.agreed || {}).filter(([role]) => role !== "signal") : [];
      show(el, gates.length > 0);
      draw(gates.map(([role, agrees]) => [name(role), agrees]));
    },
  };
}

/** The lower band: the effector's level as the device reports it, on the time axis of cue and evidence. */
function paintLevels(g, box, band, levels, colour, x) {
  const now = performance.now() / 1000;
  const y = (level) => box.height - 1 - (band - 4) * Math.min(1, Math.max(0, level));
  g.strokeStyle = colour("--line-strong");
  g.lineWidth = 1;
  g.beginPath();
  g.moveTo(0, box.height - 0.5);
  g.lineTo(box.width, box.height - 0.5);
  g.stroke();
  g.fillStyle = colour("--intent");
  levels.forEach(([at, level, old], i) => {
    if (!Number.isFinite(level) || !(old <= 0.5)) return;
    const until = i + 1 < levels.length ? levels[i + 1][0] : now;
    g.fillRect(x(at - now), y(level), Math.max(1, x(until - now) - x(at - now)), box.height - y(level));
  });
}

export function evidencePanel(ctx) {
  const { t } = ctx;
  const target = h("span", { class: "s mute" });
  const quality = h("span", { class: "rt" });
  const fill = h("div", { class: "f" });
  const hatch = h("div", { class: "hatch" });
  const value = h("span", { class: "v", "data-name": "evidence" });
  const release = h("i", { class: "th r" });
  const activate = h("i", { class: "th" });
  const releaseWord = h("span", { class: "tl" });
  const activateWord = h("span", { class: "tl" });
  const pips = h("span", { class: "pips", "aria-hidden": "true" });
  const words = h("span", { class: "s", role: "status" });
  const adapting = adaptingLine(ctx);
  const bandWords = h("span", {}, "−5 s");
  const canvas = h("canvas", { role: "img", "aria-label": t("evidence.history") });
  const bar = h("div", { class: "evbar", role: "img", "aria-label": t("evidence.title") },
    releaseWord, activateWord, fill, hatch, value, release, activate);
  const ring = phaseRing(ctx);
  const states = stateBars(ctx);
  const gates = gatesLine(ctx);
  const dwell = h("div", { class: "dwell" }, pips, words);
  const axis = h("div", { class: "row between xs mute", style: "margin-top:3px" }, h("span", {}, "−10 s"), bandWords, h("span", {}, t("scope.now")));
  const course = h("div", { class: "evt" }, canvas);
  const el = h("div", { class: "panel evidence" }, h("div", { class: "hd" }, h("h2", {}, t("evidence.title")), target, quality),
    h("div", { class: "bd" }, states.el, bar, dwell, ring.el, gates.el, adapting.el, course, axis));

  const drawPips = whenChanged(([n, needed]) => {
    pips.replaceChildren(...Array.from({ length: Math.min(needed, 12) }, (_, i) => h("i", { class: i < n ? "on" : "" })));
  });
  const drawQuality = whenChanged(([kind, text]) => quality.replaceChildren(...(text ? [light(kind, text, false)] : [])));
  let shown = null;
  let queued = false;

  function paint() {
    queued = false;
    const box = canvas.getBoundingClientRect();
    if (box.width < 2 || !canvas.isConnected) return;
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(box.width * ratio);
    canvas.height = Math.round(box.height * ratio);
    const g = canvas.getContext("2d");
    g.scale(ratio, ratio);
    const style = getComputedStyle(canvas);
    const colour = (name) => style.getPropertyValue(name).trim();
    const x = (seconds) => box.width * (1 + seconds / SPAN);
    const levels = ctx.store.levels;
    const band = levels.length ? Math.min(24, box.height * 0.28) : 0;
    const y = (p) => (box.height - band - 3) * (1 - p) + 1.5;
    g.fillStyle = colour("--sunken");
    g.fillRect(0, 0, box.width, box.height);
    g.fillStyle = colour("--intent-soft");
    for (const [from, to] of ctx.bands(SPAN)) g.fillRect(x(from), 0, x(to) - x(from), box.height);
    if (!shown) return;
    const line = (p, name, dash) => {
      if (p === null || p === undefined) return;
      g.strokeStyle = colour(name);
      g.setLineDash(dash);
      g.lineWidth = 1.3;
      g.beginPath();
      g.moveTo(0, y(p));
      g.lineTo(box.width, y(p));
      g.stroke();
    };
    line(shown.activate, "--ink", []);
    line(shown.release, "--ink-2", [5, 4]);
    g.setLineDash([]);
    g.strokeStyle = colour("--intent");
    g.lineWidth = 2;
    g.lineJoin = "round";
    g.beginPath();
    let last = null;
    // Once the run does not go on, its curve moves away together with its cues and the level: all are on one axis of time.
    const since = ctx.running() ? 0 : (performance.now() - ctx.store.decidedAt) / 1000;
    for (const [at, p] of since < SPAN ? shown.history || [] : []) {
      const broken = last === null || at - last > 0.5 || p === null || !Number.isFinite(p);
      if (p !== null && Number.isFinite(p)) g[broken ? "moveTo" : "lineTo"](x(at - since), y(p));
      last = p === null ? null : at;
    }
    g.stroke();
    if (band) paintLevels(g, box, band, levels, colour, x);
  }

  function reason(s) {
    const run = s.run;
    if (ctx.signalLost()) return t("evidence.lost", { stream: ctx.signalName() });
    if (run && ["calibration", "passive", "mapping"].includes(run.kind) && ctx.running()) return t("evidence.calibration");
    if (run && run.state === "paused") return t("evidence.paused");
    if (ctx.running()) return t(s.evidence ? "evidence.invalid" : "evidence.waiting");
    return t(s.evidence ? "evidence.over" : "evidence.empty");
  }

  function counted(e) {
    const args = { n: e.dwell, needed: e.dwell_needed };
    if (Number.isFinite(e.activate)) {
      if (e.rejected && held(e)) return t(e.active ? "evidence.dwell_held" : "evidence.held_back", args);
      if (e.rejected) return t(e.active ? "evidence.dwell_rejected" : "evidence.rejected", args);
      return t(e.active ? "evidence.dwell_release" : "evidence.dwell", args);
    }
    if (args.needed) return t("evidence.held", args);
    return t(e.kind === "probabilities" ? "evidence.live" : "evidence.followed");
  }

  return {
    el,
    update(s) {
      const e = s.evidence;
      const valid = Boolean(e && e.valid && ctx.running() && !ctx.signalLost() && Number.isFinite(e.p));
      shown = e;
      // A phase goes round: no bar, and no level that it must reach.
      const round = ring.update(e, valid);
      // Of several states each has its own bar; the course of one of them would say little of the others.
      const several = states.update(e, valid);
      for (const part of [course, axis]) show(part, !several);
      show(bar, !round && !several);
      show(dwell, !valid || !(round || several));
      put(target, e && e.target && !several ? t("evidence.of", { target: named(t, "cue", e.target).toLowerCase() }) : "");
      show(fill, valid);
      show(hatch, !valid);
      put(value, valid ? fixed(e.p, 2) : t("evidence.none"));
      // A meter must have a value; without evidence this is a picture of none.
      bar.setAttribute("role", valid ? "meter" : "img");
      bar.setAttribute("aria-label", valid ? t("evidence.title") : `${t("evidence.title")}: ${value.textContent}`);
      const inside = valid && e.p > 0.88;
      value.style.left = valid ? (inside ? "auto" : `calc(${(100 * e.p).toFixed(1)}% + 8px)`) : "16px";
      value.style.right = inside ? `calc(${(100 - 100 * e.p).toFixed(1)}% + 8px)` : "auto";
      value.style.color = inside ? "var(--on-intent)" : "var(--ink)";
      if (valid) {
        fill.style.width = `${(100 * e.p).toFixed(1)}%`;
        for (const [name, n] of [["valuemin", 0], ["valuemax", 1], ["valuenow", fixed(e.p, 2)]]) bar.setAttribute(`aria-${name}`, n);
      } else for (const name of ["valuemin", "valuemax", "valuenow"]) bar.removeAttribute(`aria-${name}`);
      classIf(value, "none", !valid);
      classIf(value, "inside", inside);
      for (const [mark, label, level, key] of [[release, releaseWord, e && e.release, "evidence.release"], [activate, activateWord, e && e.activate, "evidence.activate"]]) {
        const known = Number.isFinite(level);
        show(mark, known);
        show(label, known);
        if (!known) continue;
        mark.style.left = label.style.left = `${100 * level}%`;
        mark.classList.toggle("over", valid && e.p > level + 0.004);
        put(label, t(key, { p: fixed(level, 2) }));
      }
      const needed = (e && e.dwell_needed) || 0;
      show(pips, needed > 0);
      drawPips([valid ? e.dwell || 0 : 0, needed]);
      put(words, valid ? counted(e) : reason(s));
      gates.update(e, valid, s.streams);
      adapting.update(s.run);
      put(bandWords, ctx.store.levels.length ? t("level.band") : "−5 s");
      const state = s.quality && s.quality.state;
      drawQuality(valid && state ? [{ good: "ok", check: "medium", bad: "high" }[state] || "off", t(`evidence.quality.${state}`)] : ["off", ""]);
      if (!queued) {
        queued = true;
        requestAnimationFrame(paint);
      }
    },
    paint,
  };
}
