// The systems that a study may follow: cards, one of them in full, and the way to the wizard of a new study.
import { button, capitalised, fixed, followLanguage, followTheme, h, languageSwitch, put, request, show } from "./parts/dom.js";
import { GLYPH, SIMULATED } from "./parts/icons.js";
import { saidAll } from "./parts/entry.js";
import { chainInFull, chainPicture, effectorOf } from "./parts/chain.js";

const PLACES = ["all", "implanted", "surface"];
const placeOf = (system) => ({ ECoG: "implanted", potential: "other" })[system.inputs[0].kind] || "surface";
const formTitle = (t, form) => (form.measure && !form.state ? t(`title.${form.measure}`, {}, t.said(form, "title")) : t.said(form, "title"));
const minus = (n) => String(n).replace("-", "−");
const sources = (t, system) => (system.simulated ? t.said(system, "simulated") : t("systems.not_simulated"));

/** What is searched in: names, signals, decoders, effector and what is measured, in the language of the page. */
function searchedIn(t, system) {
  const measured = [...system.metrics, ...system.planned].map((one) => t.said(one, "title"));
  return [system.name, t.said(system, "title"), ...system.inputs.map((one) => `${one.kind} ${t(`systems.kind.${one.kind}`, {}, one.kind)} ${t.said(one, "words")}`), ...system.tasks.map((one) => `${one.decoder} ${one.paradigm} ${t.said(one, "title")}`),
    effectorOf(t, system), ...measured, ...system.forms.map((form) => formTitle(t, form))].join(" ").toLowerCase();
}

function needs(t, system) {
  const critical = system.inputs.filter((one) => one.critical).map((one) => t.said(one, "words"));
  return [...critical, ...(system.effector ? [t.said(system, "effector_title")] : [])].join(t("systems.comma"));
}

const shown = (figure, value) => fixed(value, figure.unit ? 1 : 2);

/** What was measured on simulated participants; the command that did it is its title. */
function figureOf(t, figure) {
  return h("p", { class: "figure xs sub", title: figure.command }, h("b", {}, [shown(figure, figure.value), figure.unit].filter(Boolean).join(" ")), " ", t.said(figure, "measure"));
}

function overParticipants(t, figure) {
  const interval = figure.low === null ? [] : [`${shown(figure, figure.low)}–${shown(figure, figure.high)}`];
  return [t("systems.simulated_n", { n: figure.n }), ...interval].join(" · ");
}

function card(ctx, system) {
  const { t } = ctx;
  const supply = system.not_supplied.length ? t("systems.n_supply", { n: system.not_supplied.length }) : t("systems.supply_nothing");
  const open = h("button", { type: "button", class: "open", "data-name": `open-${system.name}`, onclick: () => ctx.open(system.name) }, t.said(system, "title"));
  const made = system.simulated ? [h("span", { html: SIMULATED }), system.figure ? overParticipants(t, system.figure) : t("systems.runs_simulated")] : [t("systems.needs_recordings")];
  return h("article", { class: "panel card", "data-system": system.name },
    h("h2", {}, open), h("code", { class: "mono xs sub" }, system.name), chainPicture(t, system),
    h("p", { class: "xs sub" }, h("b", {}, t("systems.needs")), " ", needs(t, system), h("br"), h("b", {}, t("systems.you_supply")), " ", supply),
    h("div", { class: "foot" }, h("div", {}, system.figure ? figureOf(t, system.figure) : null, h("span", { class: "sim xs sub" }, made)), ctx.makes ? ctx.maker(system, t("systems.make_short")) : null));
}

function table(t, columns, rows, { numbers = [] } = {}) {
  return h("table", { class: "grid" }, h("thead", {}, h("tr", {}, columns.map((key, i) => h("th", { scope: "col", class: numbers.includes(i) ? "num" : undefined }, key ? t(`systems.col.${key}`) : "")))),
    h("tbody", {}, rows.map((row) => h("tr", {}, row.map((one, i) => h(i ? "td" : "th", { scope: i ? undefined : "row", class: numbers.includes(i) ? "num" : undefined }, one))))));
}

const panel = (t, name, ...content) => h("section", { class: `panel ${name}`, "data-name": `part-${name}`, "aria-label": t(`systems.part.${name}`) }, h("div", { class: "hd" }, h("h2", {}, t(`systems.part.${name}`))), h("div", { class: "bd stack scroll" }, ...content));
const facts = (pairs) => h("dl", { class: "kv" }, pairs.map(([words, value]) => [h("dt", {}, words), h("dd", {}, value)]));
const list = (texts) => h("ul", { class: "plain s" }, texts.map((one) => h("li", {}, one)));

function lawWords(t, law) {
  if (!law) return t("systems.law.none");
  const more = [law.conditions.length && t("systems.law.on", { what: law.conditions.map((one) => t(`cue.${one}`, {}, one)).join(t("systems.comma")) }), law.trigger_s && t("systems.law.for", { s: law.trigger_s }), law.gain && t("systems.law.gain", { gain: law.gain }),
    law.share && t("systems.law.share", { share: law.share }), law.phase_window.length && t("systems.law.phase", { from: law.phase_window[0], to: law.phase_window[1] })].filter(Boolean);
  return [t(`systems.law.${law.law}`), ...more].join(t("systems.comma"));
}

function limitsPart(t, system) {
  const { limits } = system;
  const none = h("p", { class: "s sub" }, t("systems.nothing_moves"));
  const rows = limits ? facts([[t("systems.limit.effector"), t.said(system, "effector_title")], [t("systems.limit.level"), `${Math.round(limits.level_max * 100)} %`], [t("systems.limit.hold"), t("unit.s", { n: limits.hold_limit_s })],
    [t("systems.limit.dose"), t("unit.min", { n: limits.dose_s / 60 })], [t("systems.limit.refractory"), t("unit.s", { n: limits.refractory_s })], [t("systems.limit.ttl"), t("unit.ms", { n: Math.round(limits.ttl_s * 1000) })]]) : none;
  const checks = system.checks.length ? [h("h3", { class: "s semi" }, t("systems.before_arming")), list(saidAll(t, system, "checks"))] : [];
  return panel(t, "limits", rows, ...programmePart(t, system.stimulation), ...(limits ? [h("p", { class: "xs sub" }, t("systems.limits.note"))] : []), ...checks);
}

/** The usual programme of what stimulates, and the example of limits of each of its electrodes. */
function programmePart(t, stimulation) {
  if (!stimulation) return [];
  const channels = table(t, ["channel", "current", "width", "rate"], stimulation.channels.map((one) => [one.name, `${one.current_ma} mA`, `${one.width_us} µs`, `${one.rate_hz} Hz`]), { numbers: [1, 2, 3] });
  const bound = (one) => [t.said(one, "title"), `${one.least ? "≥" : "≤"} ${one.value} ${one.unit}`.trim()];
  const limits = stimulation.electrodes.map((one) => h("details", { class: "s" }, h("summary", {}, one.title), facts(one.limits.map(bound))));
  return [h("h3", { class: "s semi" }, t("systems.programme")), channels, h("p", { class: "xs sub" }, t("systems.programme_note")), ...limits];
}

function protocolPart(t, system) {
  const titles = new Map(system.forms.map((form) => [form.name, formTitle(t, form)]));
  const visits = system.visits.length ? table(t, ["visit", "day", "forms"], system.visits.map((one) => [one.name, t("systems.window", { day: one.day, earliest: minus(one.earliest), latest: minus(one.latest) }), one.forms.map((name) => titles.get(name)).join(t("systems.semicolon")) || "—"]))
    : h("p", { class: "s sub" }, t("systems.no_visits"));
  const endpoints = system.planned.length ? [h("h3", { class: "s semi" }, t("systems.endpoints")), table(t, ["endpoint", "role", "estimates"], system.planned.map((one) => [t.said(one, "title"), h("span", { class: "nowrap" }, t(`systems.role.${one.role}`)), [t.said(one, "variable"), t.said(one, "summary")].filter(Boolean).join(" ")]))] : [];
  const own = system.forms.filter((form) => form.items.length);
  const forms = own.length ? [h("h3", { class: "s semi" }, t("systems.own_forms")), list(own.map((form) => `${t.said(form, "title")}${t("systems.colon")}${form.items.map((item) => t.said(item, "label") + (item.unit ? ` (${item.unit === "uV" ? "µV" : item.unit})` : "")).join(t("systems.comma"))}`))] : [];
  return panel(t, "protocol", visits, ...endpoints, ...forms);
}

function pricesPart(t, system) {
  if (!system.price_items.length) return panel(t, "prices", h("p", { class: "s sub" }, t("systems.no_prices")));
  const rule = (one) => t(`systems.rule.${one.kind}`, { item: one.item ? t(`systems.item.${one.item}`) : "", amount: one.amount });
  const item = (one) => h("li", {}, h("b", { class: "semi", lang: "zh-CN" }, one.name), h("div", {}, `${t.said(one, "title")} · ${t("systems.per", { per: t.said(one, "per") })}`), one.rules.length ? h("ul", { class: "plain xs sub" }, one.rules.map((each) => h("li", {}, rule(each)))) : null);
  return panel(t, "prices", h("ul", { class: "items s" }, system.price_items.map(item)), h("p", { class: "xs sub" }, t("systems.prices_note")));
}

function whole(ctx, system) {
  const { t } = ctx;
  const back = button(t("systems.back"), () => ctx.open(""), { kind: "quiet", name: "back" });
  const title = h("h1", { tabindex: -1, "data-name": "system-title" }, t.said(system, "title"));
  const judged = system.metrics.map((one) => t.said(one, "title")).join(t("systems.comma")) || "—";
  const tasks = table(t, ["task", "paradigm", "decoder", "law", "trials"], system.tasks.map((one) => [t.said(one, "title"), t(`paradigm.${one.paradigm}`), h("code", { class: "mono" }, one.decoder), lawWords(t, one.law), one.trials.join(" + ")]), { numbers: [4] });
  const chain = h("div", { class: "panel wide" }, h("div", { class: "bd scroll", role: "region", tabindex: 0, "aria-label": t("systems.part.chain") }, chainInFull(t, system)));
  const said = [["not_supplied", system.not_supplied], ["out_of_scope", system.out_of_scope]].filter(([, texts]) => texts.length).flatMap(([name]) => [h("h3", { class: "s semi" }, t(`systems.${name}`)), list(saidAll(t, system, name))]);
  const known = panel(t, "known", h("h3", { class: "s semi" }, t("systems.simulation")), h("p", { class: "s" }, capitalised(sources(t, system))), h("p", { class: "s" }, t.said(system, "published")), ...said);
  return h("div", { class: "one" },
    h("div", { class: "head" }, h("div", {}, back, title, h("div", { class: "s sub" }, h("code", { class: "mono" }, system.name), ` · ${t("systems.version", { version: system.version })}`)), ctx.makes ? ctx.maker(system, t("systems.make"), "pri") : null),
    chain, h("div", { class: "parts" }, h("div", { class: "side" }, panel(t, "tasks", tasks, h("p", { class: "s" }, t("systems.judged", { what: judged }))), protocolPart(t, system)), h("div", { class: "side" }, limitsPart(t, system), known, pricesPart(t, system))));
}

function buildSystems(root, model, t) {
  const systems = (model.get("systems") || []).map((one) => ({ ...one, visual: ["selection", "speller"].includes(one.tasks[0].paradigm) }));
  const ctx = { t, makes: model.get("makes"), place: "all", opened: "" };
  const problem = h("div", { class: "fielderror", role: "alert", "data-name": "problem" });
  const told = h("p", { class: "s told", role: "status", "data-name": "told" });
  /** To the wizard, which stands on the same page: its first field or, of a draft, its text has what is next. */
  const wizard = (name) => document.querySelector(`.wb .newstudy [data-name=${name}]`);
  const lead = (name) => { const there = wizard(name); if (there) { there.scrollIntoView({ block: "center" }); there.focus(); } };
  ctx.maker = (system, words, kind = "") => {
    const make = button(words, () => {
      make.disabled = true;
      request(model, "make", { system: system.name }, 60).then((reply) => {
        make.disabled = false;
        put(problem, reply.ok ? "" : reply.silent ? t("ask.silent") : t.said(reply, "text"));
        put(told, reply.ok ? t("systems.drafted", { system: t.said(system, "title") }) : "");
        if (reply.ok) requestAnimationFrame(() => lead("draft-text"));
        else make.focus();
      });
    }, { kind, name: `make-${system.name}` });
    make.setAttribute("aria-label", `${words}${t("systems.colon")}${t.said(system, "title")}`);
    return make;
  };
  const find = h("input", { class: "field", type: "search", "data-name": "find", placeholder: t("systems.find"), "aria-label": t("systems.find"), "aria-keyshortcuts": "/", oninput: () => fill() });
  const places = h("div", { class: "seg", role: "group", "aria-label": t("systems.where") });
  const cards = h("div", { class: "cards" });
  const none = h("p", { class: "empty s", role: "status" });
  const blank = ctx.makes ? button(t("systems.blank"), () => lead("protocol-file"), { kind: "pri", name: "blank" }) : null;
  const listed = h("div", {}, h("div", { class: "head" }, h("div", {}, h("h1", { tabindex: -1 }, t("systems.title")), h("div", { class: "s sub" }, t("systems.sub"))), h("div", { class: "acts" }, places, find, blank)), none, cards);
  const one = h("div", {});
  const body = h("section", { class: "systems", "aria-label": t("systems.page") }, h("div", { class: "row between" }, h("div", { class: "crumbs" }, h("span", { html: GLYPH }), h("b", {}, t("systems.page"))), languageSwitch(model, t)), problem, told, listed, one);
  root.append(body);
  function fill() {
    const asked = find.value.trim().toLowerCase();
    const count = (place) => systems.filter((system) => place === "all" || placeOf(system) === place).length;
    places.replaceChildren(...PLACES.map((place) => h("button", { type: "button", "aria-pressed": String(place === ctx.place), class: place === ctx.place ? "on" : "", "data-name": `place-${place}`, onclick: () => { ctx.place = place; fill(); places.querySelector(`[data-name=place-${place}]`).focus(); } }, t(`systems.place.${place}`, { n: count(place) }))));
    const shown = systems.filter((system) => (ctx.place === "all" || placeOf(system) === ctx.place) && searchedIn(t, system).includes(asked));
    cards.replaceChildren(...shown.map((system) => card(ctx, system)));
    put(none, shown.length ? "" : t(ctx.makes ? "systems.none" : "systems.none_shown"));
    show(none, !shown.length);
  }
  ctx.open = (name) => {
    const [system] = systems.filter((each) => each.name === name);
    const from = ctx.opened;
    ctx.opened = system ? name : "";
    one.replaceChildren(...(system ? [whole(ctx, system)] : []));
    show(listed, !system);
    put(told, "");
    put(problem, "");
    (system ? one.querySelector("h1") : cards.querySelector(`[data-name=open-${from}]`) || listed.querySelector("h1"))?.focus();
    root.dataset.opened = ctx.opened;
  };
  /** / goes to the search, arrows from card to card, Escape back to the list. */
  function keys(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !root.checkVisibility()) return;
    const typed = event.target.closest?.("input, textarea, select, dialog");
    if (event.key === "/" && !typed && !ctx.opened && (root.contains(event.target) || event.target === document.body)) { event.preventDefault(); find.focus(); return; }
    if (!root.contains(event.target)) return;
    if (event.key === "Escape" && ctx.opened) { event.preventDefault(); ctx.open(""); return; }
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns(), ArrowUp: -columns() }[event.key];
    const opens = [...cards.querySelectorAll(".open")];
    const at = opens.indexOf(event.target);
    if (!step || (at < 0 && event.target !== find) || (event.target === find && event.key !== "ArrowDown")) return;
    const next = at < 0 ? opens[0] : opens[at + step];
    if (next) { event.preventDefault(); next.focus(); }
  }
  const columns = () => getComputedStyle(cards).gridTemplateColumns.split(" ").length;
  document.addEventListener("keydown", keys);
  fill();
  const kept = root.dataset.opened || "";
  show(listed, true);
  if (kept) ctx.open(kept);
  return () => document.removeEventListener("keydown", keys);
}

function render({ model, el }) {
  const root = h("div", { class: "wb wb-panel", "data-lm-suppress-shortcuts": "true" });
  el.append(root);
  const stops = [followTheme(root, model), followLanguage(root, model, (host, t) => buildSystems(host, model, t))];
  return () => stops.forEach((stop) => stop());
}

export default { render };
