// The map of contacts: what is mapped, one contact and one question at a time, what is chosen, and STOP.
import { button, capitalised, classIf, fixed, followLanguage, followTheme, h, languageSwitch, put, request, show, whenChanged } from "./parts/dom.js";
import { GLYPH, LIGHTS, SIMULATED, STOPSIGN, light } from "./parts/icons.js";
import { signInSheet } from "./parts/signin.js";
import { curveSvg, curveWords, pairPanel, tracesPanel } from "./parts/contact_curves.js";

const LETTERS = "ABCDEFGHIJKLMNOP";
const HERE_MS = 700;
const SELECTIVE = 0.3;
const LEVELS = { ok: "ok", warn: "medium", bad: "high" };

const muscleName = (t, name) => t(`cmap.muscle.${name.replaceAll(" ", "_")}`, {}, name);

/** What is mapped: electrode, muscles, ramp; and the way on with a map that was left. */
function planPart(ctx) {
  const { t } = ctx;
  const state = ctx.state();
  const offers = state.offers || [];
  if (!offers.length) return h("section", { class: "panel plan" }, h("div", { class: "bd stack" }, h("h1", {}, t("cmap.title")), h("p", { role: "alert" }, t("cmap.no_limits")), h("code", { class: "mono" }, "workbench stimulation adopt STUDY FILE --as LOGIN --as LOGIN --reason TEXT")));
  const field = (name, value, more = {}) => h("input", { class: "field num", type: "number", "data-name": name, value, step: "any", ...more });
  const electrode = h("select", { class: "field", "data-name": "electrode" }, offers.map((one) => h("option", { value: one.electrode }, one.title)));
  const top = field("top-ma", offers[0].top_ma, { min: 0.5 });
  const width = field("width-us", 300, { min: 10 });
  const systolic = field("systolic", "", { min: 40, max: 320, placeholder: "mmHg" });
  const boxes = state.muscles.map((one) => [one, h("input", { type: "checkbox", class: "tick", checked: true, "data-name": `muscle-${one}` })]);
  const signed = h("p", { class: "xs mute" });
  const offer = () => offers.find((one) => one.electrode === electrode.value) || offers[0];
  const reading = h("label", { class: "stacked" }, h("span", { class: "s sub" }, t("cmap.resting")), systolic);
  const fill = () => {
    put(signed, t("cmap.limits_of", { version: offer().version, hash: offer().sha256.slice(0, 8), people: offer().signed_by.join(", ") }));
    show(reading, offer().at_risk);
  };
  electrode.addEventListener("change", () => { top.value = offer().top_ma; fill(); });
  fill();
  const go = button(t("cmap.begin"), () => ctx.ask("plan", {
    electrode: electrode.value, muscles: boxes.filter(([, box]) => box.checked).map(([one]) => one), top_ma: top.valueAsNumber, width_us: width.valueAsNumber,
    systolic: Number.isFinite(systolic.valueAsNumber) ? systolic.valueAsNumber : null,
  }), { kind: "pri", name: "begin" });
  const on = state.left !== null && state.left !== undefined ? h("div", { class: "msg low" }, h("span", { html: LIGHTS.low, class: "ico" }), h("div", {}, h("div", { class: "w" }, t("cmap.left_over", { n: state.left }))), button(t("cmap.go_on_with"), () => ctx.ask("resume"), { name: "resume" })) : null;
  return h("section", { class: "panel plan", "aria-label": t("cmap.plan") }, h("div", { class: "bd stack" }, h("h1", {}, t("cmap.title")), h("p", { class: "sub" }, t("cmap.plan_words")), on,
    h("div", { class: "fields" }, h("label", { class: "stacked wide" }, h("span", { class: "s sub" }, t("cmap.electrode")), electrode, signed),
      h("label", { class: "stacked" }, h("span", { class: "s sub" }, t("cmap.top")), top), h("label", { class: "stacked" }, h("span", { class: "s sub" }, t("cmap.width")), width), reading),
    h("fieldset", { class: "muscles" }, h("legend", { class: "s sub" }, t("cmap.muscles")), boxes.map(([one, box]) => h("label", {}, box, muscleName(t, one)))),
    h("div", { class: "row" }, go)));
}

/** The strip of contacts: what each is, by shape and by word. */
function strip(ctx) {
  const { t } = ctx;
  const el = h("div", { class: "strip" });
  const draw = whenChanged(([contacts, now, phase]) => {
    const count = (kind) => contacts.filter((one) => one === kind).length;
    const key = (kind, n) => h("span", { class: `key ${kind}` }, h("i", { "aria-hidden": "true" }), t(`cmap.is.${kind}`), " ", n);
    const many = phase === "done" ? -1 : now;
    el.replaceChildren(h("div", { class: "cells", role: "group", "aria-label": t("cmap.contacts") }, contacts.map((one, i) => {
      const kind = i === many ? "now" : one;
      return h("button", { type: "button", class: `cell ${kind}`, "data-name": `contact-${i}`, "aria-current": i === many ? "step" : undefined, title: t(`cmap.is.${kind}`), "aria-label": `${t("cmap.contact", { n: i })}: ${t(`cmap.is.${kind}`)}`, onclick: () => ctx.repeat(i) }, i);
    })), h("div", { class: "keys xs sub" }, key("accepted", count("accepted")), key("early", count("early")), count("skipped") ? key("skipped", count("skipped")) : null, many < 0 ? null : h("span", { class: "key now" }, h("i", { "aria-hidden": "true" }), t("cmap.is.now"), " ", now), key("todo", count("todo"))));
  });
  return { el, update: (s) => draw([s.contacts, s.contact, s.phase]) };
}

/** Columns are contacts as on the lead, rows are muscles. */
function matrix(ctx) {
  const { t } = ctx;
  const grid = h("div", { class: "matrix", role: "grid", "aria-label": t("cmap.matrix") });
  const el = h("section", { class: "panel recruit" }, h("div", { class: "hd" }, h("h2", {}, t("cmap.matrix")), h("span", { class: "s sub scale" })), h("div", { class: "bd" }, grid, h("div", { class: "xs sub legend" },
    h("span", {}, h("i", { class: "sw chosen" }), t("cmap.legend_chosen")), h("span", {}, h("i", { class: "sw pale" }), t("cmap.legend_pale")), h("span", {}, h("i", { class: "sw thr" }), t("cmap.legend_thr")), h("span", {}, h("i", { class: "sw sat" }), t("cmap.legend_sat")))));
  let focus = [0, 0];
  const cells = () => [...grid.querySelectorAll("[data-box]")];
  const at = (m, n) => grid.querySelector(`[data-box="${m}-${n}"]`);
  const move = (m, n) => { const next = at(m, n); if (!next) return; cells().forEach((one) => one.setAttribute("tabindex", one === next ? 0 : -1)); focus = [m, n]; next.focus(); };
  grid.addEventListener("keydown", (event) => {
    const steps = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    if (!steps) return;
    event.preventDefault();
    move(focus[0] + steps[0], focus[1] + steps[1]);
  });
  const draw = whenChanged(([contacts, drawn, muscles, now, hot, topMa, phase]) => {
    const had = grid.contains(document.activeElement);
    const n = contacts.length;
    grid.style.setProperty("--n", n);
    const half = n / 2;
    const right = muscles.findIndex((one) => one.startsWith("right"));
    const head = contacts.map((_, i) => h("div", { class: `ch${i === now && phase !== "done" ? " now" : ""}${i === half ? " gap" : ""}`, role: "columnheader" }, i));
    const rows = muscles.map((muscle, m) => {
      const chosen = hot.find((one) => one.muscle === muscle);
      return h("div", { class: `mrow${m === right && m ? " gap" : ""}`, role: "row" }, h("div", { class: "mname", role: "rowheader" }, muscleName(t, muscle)), contacts.map((kind, i) => {
        const one = drawn[i];
        const has = Boolean(one && one.currents_ma.length);
        const found = has ? one.found[m] : null;
        const isHot = chosen && chosen.contact === i;
        const pale = found && found.selectivity !== null && found.selectivity >= SELECTIVE;
        const turned = found && (found.origin === "direct" || found.fall > 0.25);
        const state = isHot ? "chosen" : turned ? "turned" : pale ? "pale" : has ? "" : "unmeasured";
        const words = curveWords(t, muscleName(t, muscle), i, found) + (isHot ? t("cmap.box_chosen", { letter: LETTERS[m] }) : "");
        return h("button", { type: "button", role: "gridcell", class: `box ${state}${i === now && phase !== "done" ? " now" : ""}${i === half ? " gap" : ""}`, "data-box": `${m}-${i}`, tabindex: m === focus[0] && i === focus[1] ? 0 : -1, "aria-label": words, title: words, "aria-selected": String(Boolean(isHot)),
          onclick: () => { focus = [m, i]; if (has) ctx.ask("act", { name: "choose", muscle, contact: i }); } },
        has ? h("span", { html: curveSvg(one, m, topMa) }) : null, isHot ? h("b", { class: "letter" }, LETTERS[m]) : turned ? h("b", { class: "letter lt medium", html: LIGHTS.medium }) : null);
      }));
    });
    const columns = n % 2 ? [] : [h("div", { class: "cols xs sub" }, h("span", {}, t("cmap.left_column")), h("span", {}, t("cmap.right_column")))];
    grid.replaceChildren(...columns, h("div", { class: "mrow heads", role: "row" }, h("div", { class: "mname xs sub", role: "columnheader" }, t("cmap.head_feet")), head), ...rows);
    put(el.querySelector(".scale"), t("cmap.scale", { top: fixed(topMa, 1) }));
    if (had) move(...focus);
  });
  return { el, update: (s, c) => draw([s.contacts, c.contacts || {}, s.plan.muscles, s.contact, s.hot_spots, s.plan.top_ma, s.phase]) };
}

/** The one question, its reasons, and what can be answered; the way on is the first button and has Enter. */
function question(ctx) {
  const { t } = ctx;
  const title = h("h2", {});
  const ramp = h("span", { class: "rt" });
  const say = h("div", { class: "reasons", role: "status", "aria-live": "polite" });
  const acts = h("div", { class: "acts" });
  const why = h("input", { class: "field", "data-name": "skip-reason", "aria-label": t("cmap.skip_why"), placeholder: t("cmap.skip_why") });
  const skip = h("form", { class: "skip", hidden: true, onsubmit: (event) => { event.preventDefault(); ctx.ask("act", { name: "skip", reason: why.value }).then((reply) => { if (reply.ok) { why.value = ""; show(skip, false); } }); } }, why, h("button", { type: "submit", class: "btn" }, t("cmap.skip")));
  const el = h("section", { class: "panel question" }, h("div", { class: "hd" }, title, ramp), h("div", { class: "bd" }, say, acts, skip));
  const key = (words, name) => [h("span", {}, words), h("kbd", {}, name)];
  const make = (name, words, act, short, kind = "") => { const b = button("", act, { kind, name }); b.replaceChildren(...(short ? key(words, short) : [words])); return b; };
  const draw = whenChanged(([s]) => {
    const n = s.contact;
    const act = (name, more = {}) => () => ctx.ask("act", { name, ...more });
    const start = (words) => make("start", words, act("start"), "↵", "pri wide");
    const single = make("single", t("cmap.single", { ma: fixed(s.next_ma, 2) }), act("start", { single: true }), "S");
    const undo = make("undo", t("cmap.undo"), act("undo"), "U");
    const leave = make("skip", t("cmap.skip_ask"), () => { show(skip, true); why.focus(); });
    const redo = make("redo", t("cmap.redo"), act("redo"), "R");
    const hurt = make("discomfort", t("cmap.discomfort"), act("discomfort", { words: t("cmap.discomfort") }), "D");
    const titles = { ready: t("cmap.q_ready", { n }), ramping: t("cmap.q_ramping", { n }), decide: t("cmap.q_decide", { n }), halted: t("cmap.q_halted", { n }), done: t("cmap.q_done"), recorded: t("cmap.q_recorded") };
    put(title, titles[s.phase]);
    put(ramp, ["done", "recorded"].includes(s.phase) ? "" : t("cmap.ramp", { from: fixed(s.plan.currents_ma[0], 1), to: fixed(s.plan.top_ma, 1) }));
    const rows = s.reasons.map((one) => h("div", { class: `reason ${one.level}` }, h("span", { class: `ico lt ${LEVELS[one.level]}`, html: LIGHTS[LEVELS[one.level]] }), h("span", {}, t.said(one, "text"))));
    if (s.why) rows.push(h("div", { class: "reason bad", role: "alert", "data-name": "why" }, h("span", { class: "ico lt high", html: LIGHTS.high }), h("span", {}, capitalised(t.said(s, "why")))));
    if (s.phase === "ready" && !rows.length) rows.push(h("p", { class: "s sub" }, t("cmap.ready_words", { n: s.plan.currents_ma.length, to: fixed(s.plan.top_ma, 1) })));
    if (s.phase === "ramping") rows.push(h("div", { class: "meter" }, h("div", { class: "row between" }, h("b", { class: "big" }, `${fixed(s.next_ma, 2)} mA`), h("span", { class: "s sub" }, t("cmap.to_go", { n: s.plan.currents_ma.length - s.reached }))), h("div", { class: "track" }, h("i", { style: `width:${(100 * s.reached) / s.plan.currents_ma.length}%` }))));
    if (s.phase === "done") rows.push(h("p", { class: "s" }, t("cmap.done_words", { min: fixed(s.elapsed_min, 1) })));
    if (s.phase === "recorded") rows.push(light("ok", t("cmap.recorded", { by: s.recorded.by, utc: s.recorded.utc.slice(0, 16).replace("T", " ") })), h("code", { class: "mono xs" }, s.recorded.id));
    for (const one of s.phase === "ready" ? s.forbids : []) rows.push(h("div", { class: "reason warn" }, h("span", { class: "ico lt medium", html: LIGHTS.medium }), h("span", {}, capitalised(t.said(one, "text")))));
    say.replaceChildren(...rows);
    const more = s.next_ma === null ? [] : [single];
    const sets = {
      ready: [start(t(s.reached ? "cmap.continue_ramp" : "cmap.start")), h("div", { class: "pairs" }, single, leave), h("div", { class: "pairs" }, undo, hurt)],
      ramping: [make("discomfort", t("cmap.discomfort"), act("discomfort", { words: t("cmap.discomfort") }), "D", "wide strong"), make("pause", t("cmap.pause"), act("pause"), "P", "wide")],
      decide: [make("accept", t("cmap.accept", { n }), act("accept"), "↵", "pri wide"), h("div", { class: "pairs" }, redo, leave), h("div", { class: "pairs" }, ...(more.length ? [single, make("start", t("cmap.continue_ramp"), act("start"), "C")] : [undo, hurt]))],
      halted: [make("go_on", t("cmap.continue"), act("go_on"), "↵", "pri wide")],
      done: [make("record", t("cmap.record"), () => ctx.ask("record", {}, 60), "↵", "pri wide"), undo],
      recorded: [make("new", t("cmap.new"), () => ctx.ask("leave"), "", "wide")],
    };
    acts.replaceChildren(...sets[s.phase]);
    show(skip, false);
  });
  return { el, update: (s) => draw([{ ...s, phase: s.recorded.id ? "recorded" : s.phase, elapsed_min: s.phase === "done" ? s.elapsed_min : 0, left_min: 0, margins: 0, charge: 0, person: 0, state: 0 }]) };
}

/** What is chosen for each muscle, and why. */
function hotSpots(ctx) {
  const { t } = ctx;
  const rt = h("span", { class: "rt" });
  const list = h("div", { class: "hot" });
  const el = h("section", { class: "panel spots" }, h("div", { class: "hd" }, h("h2", {}, t("cmap.hot")), rt), h("div", { class: "bd" }, list));
  const draw = whenChanged((rows) => {
    put(rt, t("cmap.hot_n", { n: rows.filter((one) => one.contact !== null).length, of: rows.length }));
    list.replaceChildren(...rows.map((one, m) => h("div", { class: `spot${one.contact === null ? " none" : ""}` }, h("b", { class: "letter" }, LETTERS[m]), h("span", { class: "nm", title: muscleName(t, one.muscle) }, muscleName(t, one.muscle)),
      h("span", { class: "xs sub" }, one.contact === null ? "" : t("cmap.spot", { n: one.contact, ma: fixed(one.current_ma, 1) })), h("b", {}, one.contact === null ? "–" : fixed(one.selectivity, 2)))));
  });
  return { el, update: (s) => draw(s.hot_spots) };
}

function mapPart(ctx) {
  const { t } = ctx;
  const parts = [strip(ctx), matrix(ctx), question(ctx), hotSpots(ctx)];
  const [stripOf, matrixOf, questionOf, spots] = parts;
  const n = h("b", { class: "big" });
  const of = h("span", { class: "xs sub" });
  const left = h("b", { class: "big", "data-name": "left" });
  const planned = h("span", { class: "xs sub" });
  const title = h("h1", {});
  const sub = h("div", { class: "xs sub" });
  const top = h("div", { class: "top" }, h("div", { class: "ttl" }, title, sub), h("div", { class: "num" }, n, of), h("div", { class: "num" }, left, planned), stripOf.el, button(t("cmap.leave"), () => ctx.ask("leave"), { name: "leave" }));
  const traces = h("div", { class: "bd" });
  const tracesAt = h("span", { class: "rt" });
  const pair = h("div", { class: "bd" });
  const limits = h("div", { class: "xs sub limits" });
  const entry = h("input", { class: "field num", type: "number", min: 40, max: 320, "aria-label": t("cmap.systolic"), placeholder: "mmHg", "data-name": "pressure" });
  const reading = h("form", { class: "row reading", onsubmit: (event) => { event.preventDefault(); const s = ctx.state(); ctx.ask("pressure", { systolic: entry.valueAsNumber, resting: s.person.baseline === null }).then((reply) => { if (reply.ok) entry.value = ""; }); } }, h("span", { class: "xs sub" }, t("cmap.systolic")), entry, h("button", { type: "submit", class: "btn" }, t("cmap.enter")));
  const el = h("div", { class: "cmap-main" }, top, h("div", { class: "cmap-grid" }, h("div", { class: "lhs" }, matrixOf.el, h("div", { class: "below" },
    h("section", { class: "panel" }, h("div", { class: "hd" }, h("h2", {}, t("cmap.traces")), tracesAt), traces), h("section", { class: "panel" }, h("div", { class: "hd" }, h("h2", {}, t("cmap.is_reflex")), h("span", { class: "xs sub" }, t("cmap.pair"))), pair)), h("div", { class: "cond" }, limits, reading)),
  h("div", { class: "rhs" }, questionOf.el, spots.el, h("div", { class: "stopplace" }))));
  const drawSweep = whenChanged(([sweep, muscles]) => {
    traces.replaceChildren(tracesPanel(t, sweep, muscles, muscles.map((one) => muscleName(t, one))));
    pair.replaceChildren(pairPanel(t, sweep, sweep.pair ? muscleName(t, sweep.pair.muscle) : ""));
    put(tracesAt, sweep.traces ? t("cmap.traces_at", { ma: fixed(sweep.ma, 2) }) : "");
  });
  return {
    el,
    update(s, c) {
      const done = s.contacts.filter((one) => one !== "todo").length;
      put(title, s.phase === "done" ? t("cmap.verdict", { n: s.hot_spots.filter((one) => one.contact !== null).length, of: s.hot_spots.length }) : t("cmap.title"));
      put(sub, t("cmap.step"));
      put(n, done); put(of, t("cmap.of_contacts", { n: s.contacts.length }));
      put(left, t("cmap.min", { n: Math.ceil(s.left_min) })); put(planned, t("cmap.planned", { n: Math.round(s.planned_min), used: fixed(s.elapsed_min, 1) }));
      for (const part of parts) part.update(s, c);
      drawSweep([c.sweep || {}, s.plan.muscles]);
      const tight = s.margins[0];
      put(limits, [t("cmap.limits", { electrode: s.limits.electrode, version: s.limits.version, hash: s.limits.sha256.slice(0, 8) }), t("cmap.charge", { n: fixed(s.charge.day_uc / 1000, 2), most: fixed(s.charge.day_limit_uc / 1000, 1) }), tight && tight.value !== null ? t("cmap.tight", { rule: t.said(tight, "rule"), value: fixed(tight.value, 2), limit: fixed(tight.limit, 2), unit: tight.unit }) : ""].filter(Boolean).join(" · "));
      show(reading, s.person.at_risk);
    },
  };
}

function bar(ctx) {
  const { t } = ctx;
  const crumbs = h("div", { class: "crumbs", "data-name": "where" });
  const chip = h("span", { class: "chip line", "data-name": "simulated" });
  const state = h("span", { role: "status", "data-name": "stimulator-state" });
  const who = h("span", { class: "s" });
  const sheet = signInSheet(ctx);
  const sign = button(t("sign.in"), () => sheet.open(), { name: "sign-person" });
  const el = h("header", { class: "bar" }, h("span", { html: GLYPH }), crumbs, chip, h("div", { class: "end" }, state, who, h("span", { class: "row person" }, sign, sheet.el), languageSwitch(ctx.model, t)));
  return {
    el,
    update(s) {
      const at = s.place;
      crumbs.replaceChildren(h("b", {}, at.study), h("i", {}, "/"), h("b", {}, at.participant), h("i", {}, "/"), h("span", {}, at.visit), h("i", {}, "/"), h("span", {}, t("cmap.page")));
      chip.replaceChildren(h("span", { html: SIMULATED }), t("cmap.simulated", { n: s.speed }));
      const words = s.state ? t(`cmap.state.${s.state}`, {}, t(`state.${s.state}`, {}, s.state)) : "";
      state.replaceChildren(...(words ? [light(["ESTOP", "FAULT_SAFE"].includes(s.state) ? "high" : s.state === "ARMED" ? "ok" : "dot", words, false)] : []));
      put(who, s.who);
      show(sign, s.signs && !s.signed_in);
    },
  };
}

/** STOP: at its place whatever the page shows, by click and by Esc; it asks nobody. */
function stop(ctx) {
  const { t } = ctx;
  const words = h("div", { class: "d", role: "status", "aria-live": "assertive" }, t("cmap.stop_what"));
  const el = h("button", { type: "button", class: "stop", "data-name": "stop", "aria-keyshortcuts": "Escape", onclick: () => press() }, h("span", { html: STOPSIGN }), h("div", { class: "grow" }, h("div", { class: "row between" }, h("span", { class: "w" }, t("stop.word")), h("kbd", {}, "Esc")), words));
  function press() {
    put(words, t("cmap.stop_sent"));
    ctx.ask("stop", {}, 20).then((reply) => put(words, reply.ok ? t("cmap.stop_done") : t("cmap.stop_lost")));
  }
  return { el, press, update(s) { if (s.phase !== "halted" && words.textContent !== t("cmap.stop_sent")) put(words, t("cmap.stop_what")); } };
}

function buildMap(root, model, t) {
  const problem = h("div", { class: "problem", role: "alert", "data-name": "problem" });
  const ctx = {
    model, t, state: () => model.get("state") || {},
    ask(name, args = {}, seconds = 30) {
      return request(model, name, args, seconds).then((reply) => {
        if (name !== "here") put(problem, reply.ok ? "" : reply.silent ? t("ask.silent") : capitalised(t.said(reply, "text")));
        return reply;
      });
    },
    repeat: (contact) => ctx.ask("act", { name: "repeat", contact }),
  };
  const top = bar(ctx);
  const halt = stop(ctx);
  const place = h("main", { class: "place" });
  let map = null;
  let planned = "";
  root.append(top.el, problem, place, halt.el);
  function update() {
    const s = ctx.state();
    if (!s.place) return;
    top.update(s);
    halt.update(s);
    if (s.problem) put(problem, capitalised(t.said(s, "problem")));
    classIf(root, "plans", s.phase === "plan");
    show(halt.el, s.phase !== "plan");
    if (s.phase === "plan") {
      map = null;
      const now = JSON.stringify([s.offers, s.left]);
      if (planned !== now) { planned = now; place.replaceChildren(planPart(ctx)); }
      return;
    }
    planned = "";
    if (!map) { map = mapPart(ctx); place.replaceChildren(map.el); }
    map.update(s, model.get("curves") || {});
  }
  const press = (name) => { const one = root.querySelector(`.question [data-name=${name}]`); if (one && !one.disabled) one.click(); return Boolean(one); };
  const keys = (event) => {
    if (!root.isConnected || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && ctx.state().phase !== "plan") { event.preventDefault(); halt.press(); return; }
    if (event.target.closest("input, select, textarea, [role=dialog]")) return;
    const onButton = event.target.closest("button");
    if (event.key === "Enter" && !onButton) { ["accept", "start", "go_on", "record"].some(press); return; }
    const named = { r: "redo", u: "undo", d: "discomfort", p: "pause", s: "single", c: "start" }[event.key.toLowerCase()];
    if (named && press(named)) event.preventDefault();
  };
  document.addEventListener("keydown", keys);
  const timer = setInterval(() => model.send({ name: "here", args: {}, id: "here" }), HERE_MS);
  model.on("change:state", update);
  model.on("change:curves", update);
  update();
  return () => { document.removeEventListener("keydown", keys); clearInterval(timer); model.off("change:state", update); model.off("change:curves", update); };
}

function render({ model, el }) {
  const root = h("div", { class: "wb wb-panel wb-cmap", "data-lm-suppress-shortcuts": "true" });
  el.append(root);
  const stops = [followTheme(root, model), followLanguage(root, model, (host, t) => buildMap(host, model, t))];
  return () => stops.forEach((one) => one());
}

export default { render };
