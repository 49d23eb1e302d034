// The safety desk. The title is the verdict; reports by urgency; overdue is the only red.
import { button, followLanguage, followTheme, h, put, request, show, whenChanged } from "./parts/dom.js";
import { light } from "./parts/icons.js";
import { area, selection, signedSheet } from "./parts/signed.js";
import { saidAll } from "./parts/entry.js";
import { deficiencySheet, eventSheet, relationWords, reviseSheet } from "./parts/safety_forms.js";
import { clockPanel, momentOf, toldPanel } from "./parts/clocks.js";
import { surveillancePanel } from "./parts/surveillance.js";

const READ_DESK_MS = 20000;
const FIRST_MS = 5000; // a request that a busy page lost is made again while nothing is shown
const MOST_PIPS = 12; // more than so many are a number alone

const thousandsOf = (n) => Number(n || 0).toLocaleString("en-US");

function numbersOf(t) {
  const el = h("div", { class: "numbers" });
  const draw = whenChanged((numbers) => el.replaceChildren(...numbers.filter(([, n]) => n !== null).map(([name, n]) => h("div", { "data-name": `n-${name}` }, h("b", {}, thousandsOf(n)), h("span", { class: "xs sub" }, t(`safety.n.${name}`))))));
  return { el, update: (page) => draw([["events", page.n_events], ["serious", page.n_serious], ["deficiencies", page.n_deficiencies], ["implant_days", page.implant_days ?? null]]) };
}

/** Whom a row is about: leads to their page where there is one. */
function personButton(ctx, name) {
  if (!name) return "—";
  return ctx.model.get("opens") ? h("button", { type: "button", class: "pick person", "data-name": `open-${name}`, onclick: () => ctx.ask("participant", { participant: name }) }, name) : name;
}

const revising = (ctx, table, one, words) => h("button", { type: "button", class: "pick", "data-name": `revise-${one.id}`, "aria-label": ctx.t("safety.revise_title", { what: words }), onclick: () => reviseSheet(ctx, table, one.id) }, words);

function tablePanel(ctx, { name, table, columns, cells, pick }) {
  const { t } = ctx;
  const body = h("tbody");
  const count = h("span", { class: "rt" });
  const none = h("p", { class: "empty" });
  const grid = h("table", { class: "grid" }, h("thead", {}, h("tr", {}, columns.map((one) => h("th", { scope: "col" }, t(`safety.col.${one}`))))), body);
  const draw = whenChanged(([rows, n, concealed]) => {
    put(none, t(concealed ? "safety.none_to_show" : `safety.${name}.none`));
    put(count, rows.length < n ? t("safety.newest", { n: rows.length, all: thousandsOf(n) }) : n ? thousandsOf(n) : "");
    show(grid, rows.length > 0);
    show(none, !rows.length);
    body.replaceChildren(...rows.map((one) => h("tr", { class: one.state === "void" ? "void" : "", "data-row": one.id }, cells(one))));
  });
  const el = h("div", { class: `panel ${name}` }, h("div", { class: "hd" }, h("h2", {}, t(`safety.${name}`)), count), h("div", { class: "bd scroll", role: "region", tabindex: 0, "aria-label": t(`safety.${name}`) }, none, grid));
  return { el, update: (page) => draw([page[table] || [], page[pick] || 0, Boolean(page.concealed)]) };
}

function eventPanel(ctx) {
  const { t } = ctx;
  const tag = (one) => (one.state === "void" ? h("span", { class: "tag" }, t("safety.state.void")) : h("span", { class: one.facts.serious ? "tag s" : "tag" }, t(one.facts.serious ? "safety.serious" : "safety.not_serious")));
  return tablePanel(ctx, {
    name: "events", table: "events", pick: "n_events", columns: ["event", "seriousness", "relation", "outcome"],
    cells: (one) => [h("th", { scope: "row" }, personButton(ctx, one.participant), " ", revising(ctx, "adverse_event", one, one.term), h("small", {}, t("safety.onset_aware", { onset: one.onset || "—", aware: momentOf(t, one.aware) }))),
      h("td", {}, tag(one), h("small", {}, t(`safety.severity.${one.facts.severity}`))), h("td", {}, relationWords(t, one.facts)), h("td", {}, t(`safety.outcome.${one.outcome}`, {}, one.outcome))],
  });
}

function deficiencyPanel(ctx) {
  const { t } = ctx;
  const harm = (facts) => (facts.could_have_led_to_sae === true ? "yes" : facts.could_have_led_to_sae === false ? "no" : "open");
  return tablePanel(ctx, {
    name: "deficiencies", table: "deficiencies", pick: "n_deficiencies", columns: ["what", "harm"],
    cells: (one) => [h("th", { scope: "row" }, one.participant ? [personButton(ctx, one.participant), " "] : null, revising(ctx, "device_deficiency", one, one.device), h("small", { class: "two" }, one.text)),
      h("td", {}, one.state === "void" ? h("span", { class: "tag" }, t("safety.state.void")) : t(`safety.harm.${harm(one.facts)}`), h("small", {}, momentOf(t, one.aware)))],
  });
}

// ---------------------------------------------------------------------------------------------- stopping rules
function judgeSheet(ctx, rule) {
  const { t } = ctx;
  const event = selection(t("safety.judge.event"), "judged", rule.waiting.map((one) => [one.id, `${one.participant} ${one.term}`]));
  const counts = selection(t("safety.judge.counts", { rule: rule.name }), "counts", [["", t("safety.judge.choose")], ["yes", t("safety.judge.yes")], ["no", t("safety.judge.no")]]);
  const why = area(t("safety.judge.why"), "judge-why");
  signedSheet(ctx, {
    name: "judge-sheet", title: t("safety.judge_title", { rule: rule.name }), verb: t("safety.judge"), change: "JudgeEvent",
    parts: [h("p", { class: "s" }, rule.counts), event, counts, why],
    fields: () => ({ event_id: event.value(), rule: rule.name, counts: counts.value() }), reason: () => why.value(),
    lacking: () => (!counts.value() ? t("safety.judge.needs") : why.value() ? "" : t("safety.needs_reason")),
  });
}

/** Filled: counts; hatched: nobody has judged; a line: the limit. */
function pips(rule) {
  const marks = [...Array(Math.min(MOST_PIPS, rule.count)).fill("f"), ...Array(Math.max(0, Math.min(MOST_PIPS - rule.count, rule.pending))).fill("h")];
  while (marks.length < Math.min(MOST_PIPS, Math.ceil(rule.limit))) marks.push("");
  marks.splice(Math.min(marks.length, Math.ceil(rule.limit)), 0, "l");
  return h("span", { class: "pp", "aria-hidden": "true" }, marks.map((kind) => h("i", { class: kind })));
}

function stoppingPanel(ctx) {
  const { t } = ctx;
  const state = h("span", { class: "rt", "data-name": "stopping" });
  const list = h("ul", { class: "sr" });
  const none = h("p", { class: "empty" }, t("safety.stopping.none"));
  const row = (rule) => {
    const known = rule.limit !== undefined;
    const words = known ? t("safety.stopping.count", { n: rule.count, pending: rule.pending, limit: rule.limit, unit: t(`safety.unit.${rule.unit}`, {}, rule.unit) }) : t(rule.met ? "safety.stopping.is_met" : "safety.stopping.not_met");
    const judge = known && rule.waiting.length ? h("button", { type: "button", class: "link xs", "data-name": `judge-${rule.name}`, onclick: () => judgeSheet(ctx, rule) }, t("safety.judge_n", { n: rule.waiting.length })) : null;
    return h("li", { "data-name": `rule-${rule.name}` }, h("div", { class: "row between" }, rule.met ? light("high", rule.name) : h("b", {}, rule.name), known ? pips(rule) : null), h("div", { class: "xs sub" }, `${rule.counts} · ${words}`), judge);
  };
  const draw = whenChanged((rules) => {
    const [met, may] = [rules.some((one) => one.met), rules.some((one) => one.may_be_met)];
    state.replaceChildren(...(rules.length ? [light(met ? "high" : may ? "medium" : "ok", t(met ? "safety.stopping.met" : may ? "safety.stopping.may" : "safety.stopping.ok"), false)] : []));
    show(none, !rules.length);
    list.replaceChildren(...rules.map(row));
  });
  const el = h("div", { class: "panel stops" }, h("div", { class: "hd" }, h("h2", {}, t("safety.stopping")), state), h("div", { class: "bd scroll", role: "region", tabindex: 0, "aria-label": t("safety.stopping") }, list, none));
  return { el, update: (page) => draw(page.stopping || []) };
}

// ---------------------------------------------------------------------------------------------- the page
function buildDesk(root, model, t) {
  const problem = h("div", { class: "fielderror", role: "alert", "data-name": "problem" });
  const ctx = { root, model, t, all: false };
  let chosen = "";
  ctx.tell = (words) => put(problem, words);
  ctx.ask = (name, args = {}) => request(model, name, args).then((reply) => { ctx.tell(reply.ok ? "" : reply.silent ? t("safety.silent") : t.said(reply, "text")); return reply; });
  // The one that was chosen, else the most urgent.
  ctx.chosen = () => {
    const keys = ((model.get("page") || {}).reports || []).map((one) => one.key);
    return keys.includes(chosen) ? chosen : keys[0] || "";
  };
  ctx.choose = (key) => { if (key !== chosen) { chosen = key; clocks.update(); told.update(); } };
  const title = h("h1", { tabindex: -1, "data-name": "verdict" });
  const rest = h("div", { class: "s sub", "data-name": "verdict-rest" });
  const waiting = h("p", { class: "empty", role: "status" });
  const add = button(t("safety.add_event"), () => eventSheet(ctx), { kind: "pri", name: "add-event" });
  add.setAttribute("aria-keyshortcuts", "A");
  const addDeficiency = button(t("safety.add_deficiency"), () => deficiencySheet(ctx), { name: "add-deficiency" });
  const [clocks, told, stops, implants] = [clockPanel(ctx), toldPanel(ctx), stoppingPanel(ctx), surveillancePanel(ctx)];
  const [sums, events, deficiencies] = [numbersOf(t), eventPanel(ctx), deficiencyPanel(ctx)];
  ctx.refocus = () => { if (!root.contains(document.activeElement) || document.activeElement === document.body) title.focus(); };
  const whole = h("div", { class: "whole" },
    h("div", { class: "head" }, h("div", {}, title, rest), sums.el, h("div", { class: "acts" }, addDeficiency, add)), problem,
    h("div", { class: "cols" }, h("div", { class: "main" }, clocks.el, h("div", { class: "tables" }, events.el, deficiencies.el), implants.el), h("div", { class: "aside" }, told.el, stops.el)));
  root.append(h("section", { class: "safety", "aria-label": t("safety.title") }, waiting, whole));
  function draw() {
    const page = model.get("page") || {};
    const look = model.get("look") || {};
    const known = Boolean(page.reports);
    show(whole, known);
    show(waiting, !known);
    put(waiting, look.fault ? t("person.unreadable", { why: t.said(look, "fault") }) : t("person.reading"));
    if (!known) return;
    clearInterval(first);
    put(title, t.said(page, "title"));
    put(rest, saidAll(t, page, "verdict").join(" "));
    for (const part of [clocks, told]) part.update();
    for (const part of [sums, events, deficiencies, stops, implants]) part.update(page);
  }
  /** J and K go through the reports, A adds an event; not while something is typed or a dialog is open. */
  function keys(event) {
    const busy = event.target.closest?.("input, textarea, select, dialog") || event.ctrlKey || event.metaKey || event.altKey;
    if (busy || !root.checkVisibility()) return;
    const act = { j: () => clocks.step(1), k: () => clocks.step(-1), a: () => add.click() }[event.key.toLowerCase()];
    if (act) { event.preventDefault(); act(); }
  }
  const timer = setInterval(() => { if (document.visibilityState === "visible" && root.checkVisibility()) request(model, "read"); }, READ_DESK_MS);
  const first = setInterval(() => request(model, "read"), FIRST_MS);
  document.addEventListener("keydown", keys);
  model.on("change:page change:look", draw);
  draw();
  if (!(model.get("page") || {}).reports) request(model, "read");
  return () => { clearInterval(timer); clearInterval(first); implants.stop(); document.removeEventListener("keydown", keys); model.off("change:page change:look", draw); };
}

function render({ model, el }) {
  const root = h("div", { class: "wb wb-panel wb-page", "data-lm-suppress-shortcuts": "true" });
  el.append(root);
  const stops = [followTheme(root, model), followLanguage(root, model, (host, t) => buildDesk(host, model, t))];
  return () => stops.forEach((stop) => stop());
}

export default { render };
