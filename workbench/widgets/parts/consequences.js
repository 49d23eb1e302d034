// Right column: the effector's state and why, latency, the integrity ledger, and STOP.
import { age, button, capitalised, classIf, confirmation, fixed, h, knows, put, show, whenChanged } from "./dom.js";
import { STATES, STOPSIGN, light } from "./icons.js";

const ROAD = ["IDLE_SAFE", "ARMED", "ACTIVE", "HOLD", "RELEASE", "REFRACTORY"];
/** Conditions other than the operator's own act, which is the button below them. */
const acts = (conditions) => (conditions || []).filter((one) => !one.text_key.endsWith(".operator") && !one.text_key.endsWith(".participant_ready"));
/** States whose words claim what only the device knows: that nothing is applied. */
const SAFE = new Set(["IDLE_SAFE", "FAULT_SAFE"]);
/** Seconds after which the device's report is old, and says nothing about now. */
const OLD_S = 0.5;
const isOld = (confirmed) => !Number.isFinite(confirmed.age_s) || confirmed.age_s > OLD_S;
const atRest = (confirmed) => Boolean(confirmed) && confirmed.at_rest && !isOld(confirmed);
const MARKS = { high: "high", medium: "medium", low: "low", info: "dot" };

export function effectorPanel(ctx) {
  const { t } = ctx;
  const simulated = h("span", { class: "rt" });
  const chip = h("div", { class: "state", role: "status", "data-name": "effector-state" });
  const rail = h("div", { class: "rail", "aria-hidden": "true" }, ROAD.map(() => h("i")));
  const previous = h("span");
  const next = h("span");
  const why = h("div", { class: "s sub why" });
  const conditions = h("div", { class: "cond" });
  const p50 = h("b");
  const p99 = h("b");
  const note = h("div", { class: "xs mute" });
  const reason = h("div", { class: "xs sub", style: "margin-top:6px", role: "status" });
  const doing = h("div", { class: "row doing" });
  const none = h("div", { class: "empty" });
  const latencyRow = h("div", { class: "row between latrow" }, h("span", { class: "s sub" }, t("latency.title")),
    h("span", { class: "lat" }, h("span", {}, "p50"), p50, h("span", {}, "p99"), p99));
  const level = deviceLevel(ctx);
  const body = h("div", {}, chip, rail, h("div", { class: "railn" }, previous, next), level.el, why, conditions);
  const el = h("div", { class: "panel effector" }, h("div", { class: "hd" }, h("h2", {}, t("effector.title")), simulated),
    h("div", { class: "bd" }, none, body, latencyRow, note, reason, doing));

  const drawChip = whenChanged(([state, unconfirmed, effector]) => {
    const own = `state.${state}.${effector}`;
    const words = t(knows(own) ? own : `state.${state}`, {}, "");
    const [kind, icon] = STATES[state] || STATES.DISCONNECTED;
    chip.className = `state ${unconfirmed ? `${kind === "stopped" ? "fault" : kind} dash` : kind}`;
    chip.replaceChildren(h("span", { html: icon }), h("div", { class: "nm" }, state), h("span", { class: "grow" }), h("span", { class: "s" }, unconfirmed ? t("effector.not_confirmed") : words));
    const at = ROAD.indexOf(state);
    [...rail.children].forEach((one, i) => { one.className = i === at ? "on" : at > i ? "past" : ""; });
  });
  const drawConditions = whenChanged((list) => {
    const open = list.filter((one) => !one.ok);
    const rows = open.map((one) => light("off", `${t(one.text_key, {}, one.text_key)} · ${t("effector.not_yet")}`));
    if (list.length) rows.push(light(open.length ? "off" : "ok", t("effector.conditions_met", { n: list.length - open.length, all: list.length })));
    conditions.replaceChildren(...rows);
  });
  const drawAction = whenChanged(([act, disabled, words]) => {
    const one = act ? button(t(`effector.${act}`), () => carryOut(act), { kind: "grow", name: act }) : null;
    if (one) one.disabled = disabled;
    doing.replaceChildren(...(one ? [one] : []));
    put(reason, words);
    show(reason, Boolean(words));
  });

  const question = confirmation(el);
  /** Leaving STOP asks for confirmation only while the device has not confirmed it, or an alarm is not acknowledged. */
  function carryOut(act) {
    const open = (ctx.status().alarms || []).some((one) => one.priority === "high" && !one.acknowledged);
    if (act !== "reset_stop" || !(open || stopPhase(ctx).phase === "unacknowledged")) return ctx.ask(act === "selftest" ? "reset_stop" : act);
    return question.open({ title: t("effector.reset_question"), text: t("effector.reset_more"), no: t("effector.reset_keep"), yes: t("effector.reset_stop"), name: "reset-now", act: () => ctx.ask("reset_stop") });
  }

  function explain(e) {
    const args = Object.fromEntries(Object.entries(e.why_args || {}).map(([name, n]) => [name, typeof n === "number" && !Number.isInteger(n) ? n.toFixed(2) : n]));
    const several = e.why_key || `control.next.${e.state}`;
    const key = args.dwell === 1 && knows(`${several}.one`) ? `${several}.one` : several;
    if (!knows(key)) return e.why || "";
    const cause = capitalised(t.said(e, "cause"));
    return cause ? `${t("effector.cause", { cause })} ${t(key, args)}` : t(key, args);
  }

  function action(e) {
    if (e.state === "ESTOP") return ["reset_stop", false, ""];
    if (e.state === "FAULT_SAFE" || e.state === "DISCONNECTED") return ["selftest", false, ""];
    if (e.state === "IDLE_SAFE") {
      if (!ctx.running()) return ["arm", true, t("effector.needs_run")];
      const missing = acts(e.conditions).filter((one) => !one.ok);
      return ["arm", missing.length > 0, missing.length ? t("effector.blocked", { what: t(missing[0].text_key, {}, missing[0].text_key) }) : ""];
    }
    if (e.state === "SELFTEST") return ["arm", true, t("effector.selftest_runs")];
    return ["disarm", false, ""];
  }

  return {
    el,
    update(s) {
      const e = s.effector;
      show(none, !e);
      put(none, t(s.session ? "effector.none" : "effector.empty"));
      show(body, Boolean(e));
      put(simulated, e && e.simulated ? t("bar.simulated_effector") : "");
      const latency = s.latency || {};
      put(p50, latency.n ? t("unit.ms", { n: fixed(latency.p50_ms, 0) }) : "—");
      put(p99, latency.n ? t("unit.ms", { n: fixed(latency.p99_ms, 0) }) : "—");
      show(latencyRow, Boolean(latency.n));
      put(note, latency.n && latency.representative === false ? t("latency.not_representative") : "");
      show(note, Boolean(note.textContent));
      if (!e) return drawAction((s.session || {}).stopped ? ["reset_stop", false, ""] : ["", true, ""]);
      drawChip([e.state, e.state === "ESTOP" ? stopPhase(ctx).phase === "unacknowledged" : SAFE.has(e.state) && !atRest(e.confirmed), e.name]);
      level.update(e);
      put(previous, e.previous ? `${e.previous} ✓` : "");
      put(next, e.next ? t("effector.next", { next: e.next }) : "");
      put(why, explain(e));
      drawConditions(["IDLE_SAFE", "ARMED", "SELFTEST", "DISCONNECTED"].includes(e.state) ? acts(e.conditions) : []);
      return drawAction(action(e));
    },
  };
}

export function ledgerPanel(ctx) {
  const { t } = ctx;
  const list = h("ul", { class: "led" });
  const empty = h("div", { class: "empty" });
  const rest = h("div", { class: "xs mute" });
  const all = h("button", { type: "button", class: "link", "aria-expanded": "false", onclick: () => {
    const wide = !el.classList.contains("wide");
    classIf(el, "wide", wide);
    all.setAttribute("aria-expanded", String(wide));
    count(latest);
  } });
  const el = h("div", { class: "panel ledger stretch" }, h("div", { class: "hd" }, h("h2", {}, t("ledger.title")), h("span", { class: "rt" }, all)),
    h("div", { class: "bd grow", tabindex: "0" }, empty, list, rest));
  let latest = {};
  function count(s) {
    const wide = el.classList.contains("wide");
    put(all, wide ? t("ledger.fold") : t("ledger.all", { n: s.ledger_total ?? (s.ledger || []).length }));
  }
  const draw = whenChanged((rows) => {
    list.replaceChildren(...rows.map(([kind, stream, extent, consequence, priority, clock]) => {
      const key = `ledger.${kind}`;
      const args = { stream: stream || t("ledger.no_stream"), extent };
      const words = (knows(key) ? t(key, args) : `${kind} ${args.extent}`).trim();
      const head = capitalised(words, [stream]);
      const named = !stream || (knows(key) && CATALOGUE.en[key].includes("{stream}"));
      const below = [named ? "" : stream, consequence].filter(Boolean).join(" · ");
      return h("li", {}, light(MARKS[priority] || "dot"), h("span", { class: "two", title: head }, head), h("span", { class: "t" }, clock || ""),
        below ? h("span", { class: "b two", title: below }, below) : null);
    }));
  });
  return {
    el,
    update(s) {
      latest = s;
      const rows = s.ledger || [];
      show(empty, rows.length === 0);
      put(empty, t(s.session ? "ledger.empty" : "ledger.none"));
      show(all, rows.length > 0);
      show(rest, s.ledger_total > rows.length);
      put(rest, t("ledger.newest", { n: rows.length, all: s.ledger_total }));
      count(s);
      draw(rows.map((r) => [r.kind, r.stream, t.said(r, "extent"), t.said(r, "consequence"), r.priority, r.clock]));
    },
  };
}

/** Seconds after which a STOP that nothing has confirmed is said to be unacknowledged. */
const STOP_S = 0.5;

/**
 * How long the engine left this page's STOP lying before it took it, s: what the device needed counts from there. The
 * least of what the statuses say, since each is a little old; below STOP_S it is their age and nothing else.
 */
function untaken(pressed, asked) {
  if (!pressed) return 0;
  pressed.untaken = Math.min(pressed.untaken ?? Infinity, (performance.now() - pressed.at) / 1000 - asked);
  return pressed.untaken > STOP_S ? pressed.untaken : 0;
}

/**
 * Progress of STOP as the device reports it: none, sent (less than half a second ago), unacknowledged, acknowledged,
 * open (the device reported level 0). Until the engine reports otherwise, the request of this page counts. What it
 * took counts from the press on this page.
 */
export function stopPhase(ctx) {
  const e = ctx.status().effector;
  const stop = (e && e.stop) || {};
  const pressed = ctx.store.stop;
  const waited = pressed && !pressed.reply ? (performance.now() - pressed.at) / 1000 : null;
  const refused = pressed && pressed.reply && !pressed.reply.ok;
  const asked = stop.asked_age_s ?? null;
  if (waited !== null) return { phase: waited > STOP_S ? "unacknowledged" : "sent", age: waited };
  if (refused && asked === null) return { phase: "unacknowledged", age: (performance.now() - pressed.at) / 1000 };
  if (asked === null) {
    if (pressed && !e) return { phase: "no_effector", age: 0 };
    const since = pressed ? (performance.now() - pressed.at) / 1000 : Infinity;
    return { phase: since < 1.5 ? "sent" : "none", age: since }; // the engine accepted it; its status reports the rest
  }
  const late = untaken(pressed, asked);
  if (stop.confirmed) return { phase: "open", age: asked, took: late + (stop.acknowledged_after_s ?? stop.safe_after_s) };
  if (Number.isFinite(stop.acknowledged_after_s)) return { phase: "acknowledged", age: asked, took: late + stop.acknowledged_after_s };
  return { phase: asked > STOP_S ? "unacknowledged" : "sent", age: asked };
}

/** The level that the device reports, as a bar; the level that was sent, as a line. An old report is hatched. */
function deviceLevel(ctx) {
  const { t } = ctx;
  const value = h("b", { "data-name": "device-level" });
  const fill = h("i", { class: "fill" });
  const sent = h("i", { class: "sentmark" });
  const bar = h("div", { class: "levelbar" }, fill, sent);
  const words = h("span");
  const el = h("div", { class: "level" }, h("div", { class: "row between" }, h("span", { class: "s sub" }, t("level.title")), value), bar, h("div", { class: "xs sub" }, words));
  const percent = (n) => (Number.isFinite(n) ? t("unit.percent", { n: Math.round(100 * n) }) : "—");
  return {
    el,
    update(e) {
      const confirmed = e.confirmed;
      // What the device reports would tell a sham to somebody blinded; the engine leaves it out.
      const shown = Boolean(confirmed) && (e.stimulation || {}).mode !== "";
      show(el, shown);
      if (!shown) return;
      const old = isOld(confirmed);
      put(value, percent(confirmed.level));
      fill.style.width = Number.isFinite(confirmed.level) ? `${100 * Math.min(1, Math.max(0, confirmed.level))}%` : "0";
      classIf(bar, "old", old);
      show(sent, Number.isFinite(e.level));
      if (Number.isFinite(e.level)) sent.style.left = `${100 * Math.min(1, Math.max(0, e.level))}%`;
      bar.setAttribute("role", "img");
      bar.setAttribute("aria-label", `${t("level.title")}: ${value.textContent}`);
      put(words, t(old ? "level.old" : "level.sent", { sent: percent(e.level), age: age(t, confirmed.age_s) }));
      classIf(words, "bad", old);
    },
  };
}

/** Why the last STOP of this page was refused, in words; "" where it was not. */
function refusal(ctx) {
  const reply = (ctx.store.stop || {}).reply;
  return reply && !reply.ok && !reply.silent ? ctx.t.said(reply, "text") : "";
}

export function stopButton(ctx) {
  const { t } = ctx;
  const words = h("div", { class: "d", role: "status", "aria-live": "assertive", "data-name": "stop-words" });
  const el = h("button", { type: "button", class: "stop", "data-name": "stop", "aria-keyshortcuts": "Escape", onclick: () => press() },
    h("span", { html: STOPSIGN }), h("div", { class: "grow" }, h("div", { class: "row between" }, h("span", { class: "w" }, t("stop.word")), h("kbd", {}, "Esc")), words));
  function press() {
    const pressed = { at: performance.now(), reply: null, run: (ctx.status().run || {}).id };
    ctx.store.stop = pressed;
    ctx.ask("stop", {}, 60).then((reply) => {
      pressed.reply = reply;
      pressed.took = (performance.now() - pressed.at) / 1000;
      ctx.refresh();
    });
    ctx.refresh();
  }
  function say() {
    const { phase, age: since, took } = stopPhase(ctx);
    if (phase === "no_effector") return t("stop.no_effector");
    if (phase === "sent") return t("stop.sending", { age: age(t, since) });
    if (phase === "unacknowledged") return t(refusal(ctx) ? "stop.refused" : "stop.unacknowledged");
    if (phase === "acknowledged") return t("stop.acknowledged", { age: age(t, took) });
    if (phase === "open") return t("stop.open", { age: age(t, took) });
    return t(ctx.status().effector ? "stop.what" : "stop.what_no_effector");
  }
  function tick() {
    const pressed = ctx.store.stop;
    const latched = (ctx.status().session || {}).stopped;
    if (pressed && pressed.reply && !latched && ctx.running() && ctx.status().run.id !== pressed.run) ctx.store.stop = null;
    const away = ctx.link().state === "none" && !(pressed && !pressed.reply);
    classIf(el, "away", away);
    put(words, away ? t("stop.away") : say());
  }
  return { el, press, tick, update: tick };
}

const PRIORITIES = ["high", "medium", "low"];

/** The alarms to show, STOP first and never folded: while its cause lasts it outranks every other alarm. */
export function alarmsOf(ctx) {
  const { t } = ctx;
  const s = ctx.status();
  const link = ctx.link();
  const stop = stopPhase(ctx);
  const engine = [...(s.alarms || [])].filter((one) => one.key !== "estop" || stop.phase !== "unacknowledged");
  const rank = (one) => [one.key === "estop" && !one.cleared ? 0 : 1, one.cleared ? 1 : 0, PRIORITIES.indexOf(one.priority)];
  engine.sort((a, b) => rank(a).map((n, i) => n - rank(b)[i]).find((n) => n) || 0);
  if (stop.phase === "unacknowledged" && refusal(ctx)) engine.unshift({ key: "stop_refused", priority: "high", args: { text: capitalised(refusal(ctx)) } });
  if (link.lost) engine.unshift({ key: "page_lost", priority: "high", args: { age: age(t, Math.floor(link.age)) } });
  if (stop.phase === "unacknowledged") engine.unshift({ key: "stop_unacknowledged", priority: "high", args: { age: age(t, stop.age) } });
  return engine;
}

/**
 * The text of an alarm in the language of the page; texts of the page's own alarms are in its catalogue. The age of
 * a silent stream is taken from the stream itself, so that it counts on.
 */
function alarmWords(ctx, alarm, part) {
  const { t } = ctx;
  const key = `alarm.${alarm.key}.${part}`;
  if (knows(key)) return t(key, alarm.args);
  const said = (alarm.said || {})[part];
  const stream = said && said.args.age && !alarm.cleared && (ctx.status().streams || []).find((one) => one.name === said.args.stream);
  if (stream && Number.isFinite(stream.age_s)) return t.message({ ...said, args: { ...said.args, age: age(t, stream.age_s) } });
  return t.said(alarm, part);
}

/** The place of the alarms. It keeps its height when empty, so that STOP and the rest never move under a finger. */
export function banner(ctx) {
  const { t } = ctx;
  const what = h("div", { class: "w" });
  const means = h("span");
  const todo = h("b", { class: "semi" });
  const more = h("span", { class: "s" });
  const icon = h("span");
  const doing = h("div", { class: "row" });
  const box = h("div", { class: "msg", role: "alert" }, icon, h("div", {}, h("div", { class: "row wrap" }, what, more), h("div", {}, means, " ", todo)), doing);
  const quiet = h("div", { class: "quiet" });
  const el = h("section", { class: "alarmplace", "aria-label": t("alarm.place") }, box, quiet);
  const reported = () => ctx.ask("hardware_stop").then((reply) => {
    if (!reply.ok) return;
    ctx.store.hardware = new Date().toLocaleTimeString("en-GB");
    ctx.refresh();
  });
  const drawButton = whenChanged(([key, id, noted]) => {
    const one = key === "stop_unacknowledged" ? button(t("alarm.hardware_stop"), reported, { name: "hardware-stop" })
      : id ? button(t("alarm.acknowledge"), () => ctx.ask("acknowledge", { alarm: id }), { name: "acknowledge" }) : null;
    if (one) one.disabled = Boolean(noted);
    doing.replaceChildren(...(one ? [one] : []));
  });
  const drawIcon = whenChanged(([kind]) => { icon.innerHTML = ctx.warning[kind]; });
  return {
    el,
    update() {
      const alarms = alarmsOf(ctx);
      const first = alarms[0];
      if (!first || first.key !== "stop_unacknowledged") ctx.store.hardware = "";
      const noted = ctx.store.hardware;
      show(box, Boolean(first));
      show(quiet, !first);
      classIf(el, "empty", !first);
      put(quiet, t("alarm.none"));
      if (!first) return;
      const kind = PRIORITIES.includes(first.priority) ? first.priority : "low";
      box.className = `msg ${kind}${first.acknowledged || first.cleared ? "" : " unseen"}`;
      drawIcon([kind]);
      put(what, [alarmWords(ctx, first, "what"), first.cleared ? t("alarm.cleared") : ""].filter(Boolean).join(" "));
      put(means, alarmWords(ctx, first, "means"));
      put(todo, first.cleared ? t(first.earlier ? "alarm.earlier_do" : "alarm.cleared_do") : noted ? t("alarm.hardware_reported", { at: noted }) : alarmWords(ctx, first, "do"));
      const rest = alarms.slice(1);
      put(more, rest.length ? t(rest.length === 1 ? "alarm.also_one" : "alarm.also", { what: alarmWords(ctx, rest[0], "what"), n: rest.length - 1 }) : "");
      more.title = more.textContent;
      drawButton([first.key, first.acknowledged ? "" : first.id || "", noted]);
    },
  };
}
