// Right column: the effector's state and why, latency, the integrity ledger, and STOP.
import { age, button, classIf, fixed, h, knows, put, show, whenChanged } from "./dom.js";
import { STATES, STOPSIGN, light } from "./icons.js";

const ROAD = ["IDLE_SAFE", "ARMED", "ACTIVE", "HOLD", "RELEASE", "REFRACTORY"];
/** Conditions beside the operator's own act, which is the button below them. */
const acts = (conditions) => (conditions || []).filter((one) => !one.text_key.endsWith(".operator") && !one.text_key.endsWith(".participant_ready"));
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
  const body = h("div", {}, chip, rail, h("div", { class: "railn" }, previous, next), why, conditions);
  const el = h("div", { class: "panel effector" }, h("div", { class: "hd" }, h("h2", {}, t("effector.title")), simulated),
    h("div", { class: "bd" }, none, body, h("div", { class: "row between latrow" }, h("span", { class: "s sub" }, t("latency.title")),
      h("span", { class: "lat" }, h("span", {}, "p50"), p50, h("span", {}, "p99"), p99)), note, doing, reason));

  const drawChip = whenChanged(([state]) => {
    const [kind, icon] = STATES[state] || STATES.DISCONNECTED;
    chip.className = `state ${kind}`;
    chip.replaceChildren(h("span", { html: icon }), h("div", { class: "nm" }, state), h("span", { class: "grow" }), h("span", { class: "s" }, t(`state.${state}`, {}, "")));
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
    const one = act ? button(t(`effector.${act}`), () => ctx.ask(act === "selftest" ? "reset_stop" : act), { kind: "grow", name: act }) : null;
    if (one) one.disabled = disabled;
    doing.replaceChildren(...(one ? [one] : []));
    put(reason, words);
    show(reason, Boolean(words));
  });

  function explain(e) {
    const args = Object.fromEntries(Object.entries(e.why_args || {}).map(([name, n]) => [name, typeof n === "number" && !Number.isInteger(n) ? n.toFixed(2) : n]));
    const key = e.why_key || `control.next.${e.state}`;
    if (!knows(key)) return e.why || "";
    const fault = e.fault ? (knows(`control.fault.${e.fault}`) ? t(`control.fault.${e.fault}`) : t.said(e.fault)) : "";
    return ["FAULT_SAFE", "ESTOP"].includes(e.state) && fault ? `${fault} ${t(key, args)}` : t(key, args);
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
      put(note, latency.n && latency.representative === false ? t("latency.not_representative") : "");
      show(note, Boolean(note.textContent));
      if (!e) return drawAction((s.session || {}).stopped ? ["reset_stop", false, ""] : ["", true, ""]);
      drawChip([e.state]);
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
      const args = { stream: stream || t("ledger.no_stream"), extent: t.said(extent) };
      const words = (knows(key) ? t(key, args) : `${kind} ${args.extent}`).trim();
      const head = words.charAt(0).toUpperCase() + words.slice(1);
      const named = !stream || (knows(key) && CATALOGUE.en[key].includes("{stream}"));
      const below = [named ? "" : stream, t.said(consequence)].filter(Boolean).join(" · ");
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
      draw(rows.map((r) => [r.kind, r.stream, r.extent, r.consequence, r.priority, r.clock]));
    },
  };
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
      pressed.clock = new Date().toLocaleTimeString("en-GB");
      pressed.took = (performance.now() - pressed.at) / 1000;
      tick();
    });
    tick();
  }
  function say(pressed) {
    if (!pressed) return t(ctx.status().effector ? "stop.what" : "stop.what_no_effector");
    const { reply } = pressed;
    if (!reply) {
      const waited = (performance.now() - pressed.at) / 1000;
      return t(waited > 2 ? "stop.silent" : "stop.sending", { age: age(t, waited) });
    }
    return reply.ok ? t("stop.acknowledged", { clock: pressed.clock, age: age(t, pressed.took) }) : reply.silent ? t("stop.silent", { age: age(t, 60) }) : t("stop.refused", { text: t.said(reply.text) });
  }
  function tick() {
    const pressed = ctx.store.stop;
    if (pressed && pressed.reply && ctx.running() && ctx.status().run.id !== pressed.run) ctx.store.stop = null;
    put(words, say(ctx.store.stop));
  }
  return { el, press, tick, update() {} };
}

export function banner(ctx) {
  const { t } = ctx;
  const el = h("div", { style: "flex:none" });
  const draw = whenChanged(([alarm, more, seen]) => {
    show(el, Boolean(alarm));
    if (!alarm) return el.replaceChildren();
    const say = (part) => (knows(`alarm.${alarm.key}.${part}`) ? t(`alarm.${alarm.key}.${part}`, alarm.args || {}) : t.said(alarm[part]));
    const acknowledge = button(t("alarm.acknowledge"), () => {
      ctx.store.seen = alarm.key;
      ctx.refresh();
    });
    const kind = ["high", "medium", "low"].includes(alarm.priority) ? alarm.priority : "low";
    return el.replaceChildren(h("div", { class: `msg ${kind}${seen ? "" : " unseen"}`, role: "alert" }, h("span", { html: ctx.warning[kind] }),
      h("div", {}, h("div", { class: "w" }, say("what")), h("div", {}, `${say("means")} `, h("b", { class: "semi" }, say("do")), more ? ` ${t("alarm.more", { n: more })}` : "")),
      seen || kind !== "high" ? h("span") : acknowledge));
  });
  return {
    el,
    update(s) {
      const order = ["high", "medium", "low"];
      const link = ctx.link();
      const alarms = [...(s.alarms || [])].sort((a, b) => order.indexOf(a.priority) - order.indexOf(b.priority));
      if (link.lost) alarms.unshift({ key: "page_lost", priority: "high", args: { age: age(t, Math.floor(link.age)) } });
      const first = alarms[0] || null;
      if (!first) ctx.store.seen = null;
      draw([first && { key: first.key, priority: first.priority, args: first.args, what: first.what, means: first.means, do: first.do }, Math.max(0, alarms.length - 1), Boolean(first) && ctx.store.seen === first.key]);
    },
  };
}
