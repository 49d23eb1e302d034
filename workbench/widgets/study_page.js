// The study overview. Finished work is pale, what is missing is the only loud cell; red belongs to a broken chain.
import { button, classIf, followLanguage, followTheme, h, put, request, show, whenChanged } from "./parts/dom.js";
import { WARNING, light } from "./parts/icons.js";
import { hardLock, lockSheet } from "./parts/study_lock.js";

const MARKS = { v: "verified", c: "complete", d: "draft", m: "missing", n: "not_due", h: "not_held", w: "withdrawn", " ": "not_asked" };
const LOUD_FIRST = ["m", "d", "c", "v", "n", "h", "w"];
const READ_AGAIN_MS = 20000;

const thousands = (n) => Number(n || 0).toLocaleString("en-US");
const word = (t, group, name) => t(`study.${group}.${name}`, {}, String(name).replaceAll("_", " "));
/** Month 1 → 1月: headings of common visits are short in Chinese, others keep the name that the protocol gives. */
function heading(t, name) {
  const numbered = /^(Month|Week|Day) (\d+)$/.exec(name);
  if (numbered) return t(`study.visit.${numbered[1]}`, { n: numbered[2] }, name);
  return t(`study.visit.${name}`, {}, name);
}

/** CONSORT from top to bottom: who came, who did not enter, what became of the others. */
function flowPanel(t, opener) {
  const cut = h("span", { class: "rt", "data-name": "cut-off" });
  const box = h("div", { class: "flow" });
  const empty = h("div", { class: "empty" }, t("study.flow.empty"));
  const one = (name, n, kind = "") => h("div", { class: `box ${kind}`.trim(), "data-name": `flow-${name}` }, h("b", {}, t(`study.flow.${name}`, { n: thousands(n) })));
  const lines = (parts) => parts.filter(([, n]) => n).map(([name, n]) => h("div", { class: "s sub" }, t(`study.flow.${name}`, { n: thousands(n) })));
  const draw = whenChanged(([flow, without]) => {
    show(empty, !flow.screened);
    const out = flow.screen_failures + flow.left_before;
    const aside = one("not_enrolled", out, "out");
    aside.append(...lines([["screen_failures", flow.screen_failures], ["left_before", flow.left_before]]));
    const first = one("screened", flow.screened);
    first.append(...lines([["in_screening", flow.in_screening]]));
    const left = one("left", flow.withdrawn + flow.lost);
    left.append(...lines([["withdrawn", flow.withdrawn], ["lost", flow.lost]]));
    box.replaceChildren(first, h("div", { class: "branch" }, aside), one("enrolled", flow.enrolled, "key"),
      h("div", { class: "ends" }, one("taking_part", flow.taking_part), one("completed", flow.completed), left),
      ...(flow.without ? [h("div", { class: "xs sub" }, t(flow.without === 1 ? "study.flow.one_without" : "study.flow.without", { n: thousands(flow.without) }), h("div", { class: "row wrap" }, without.map(opener)))] : []));
  });
  return {
    el: h("div", { class: "panel flowpanel" }, h("div", { class: "hd" }, h("h2", {}, t("study.flow")), cut), h("div", { class: "bd", tabindex: 0, role: "region", "aria-label": t("study.flow") }, box, empty)),
    update(seen) {
      draw([seen.flow || {}, seen.without || []]);
      put(cut, seen.fault ? t("study.unreachable", { at: seen.read_at || "—", why: t.said(seen, "fault") }) : t("study.as_of", { at: seen.read_at || "—" }));
      classIf(cut, "bad", Boolean(seen.fault));
    },
  };
}

/** "3 verified, 1 missing": what the marks of one visit say to who cannot see them. */
function spoken(t, letters) {
  return LOUD_FIRST.map((letter) => [letter, letters.split(letter).length - 1]).filter(([, n]) => n)
    .map(([letter, n]) => t("study.cells", { n, state: t(`study.form.${MARKS[letter]}`) })).join(t("study.comma"));
}

const marks = (letters) => [...letters].map((letter) => `<i class="c-${MARKS[letter] ? letter.replace(" ", "x") : "x"}"></i>`).join("");

/** Leads to the page of a participant where there is one. */
const openerOf = (model, ask) => (name) => ((model.get("opens") || []).includes("participant") ? h("button", { type: "button", class: "pick", "data-name": `open-${name}`, onclick: () => ask("participant", { participant: name }) }, name) : h("span", {}, name));

/** A row a participant, a group of marks a visit. Rows scroll under their headings; sites fold. */
function heatmap(t, model, ask) {
  const about = h("span", { class: "s mute two" });
  const head = h("thead");
  const rows = h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("study.completeness") });
  const none = h("div", { class: "empty", "data-name": "no-forms" });
  const folded = new Set();
  let only = false;
  const filter = h("button", { type: "button", class: "link s rt", "aria-pressed": "false", "data-name": "only-missing", onclick: () => { only = !only; filter.setAttribute("aria-pressed", String(only)); again(); } }, t("study.only_missing"));
  const legend = h("div", { class: "legend s sub", "aria-hidden": "true" }, LOUD_FIRST.slice().sort((a, b) => "vcdmnhw".indexOf(a) - "vcdmnhw".indexOf(b))
    .map((letter) => h("span", {}, h("i", { class: `c-${letter}` }), t(`study.form.${MARKS[letter]}`))));
  function person(row, visits) {
    return h("tr", { "data-participant": row.participant }, h("th", { scope: "row" }, openerOf(model, ask)(row.participant)),
      visits.map((visit, i) => h("td", {}, h("span", { class: "cells", role: "img", "aria-label": spoken(t, row.cells[i] || "") || t("study.form.not_asked"), html: marks(row.cells[i] || "") }))));
  }
  function site(name, people, visits) {
    const open = !folded.has(name);
    const body = h("tbody", {});
    const toggle = h("button", { type: "button", class: "link s", "aria-expanded": String(open), "data-name": `site-${name}`, onclick: () => { if (!folded.delete(name)) folded.add(name); again(); rows.querySelector(`[data-name="site-${CSS.escape(name)}"]`)?.focus(); } }, t("study.site", { site: name || "—", n: people.length }));
    body.append(h("tr", { class: "site" }, h("th", { scope: "rowgroup", colspan: visits.length + 1 }, toggle)), ...(open ? people.map((row) => person(row, visits)) : []));
    return body;
  }
  const draw = whenChanged(([all, visits, version, wanted]) => {
    const shown = wanted ? all.filter((row) => row.cells.some((letters) => letters.includes("m"))) : all;
    const size = visits.reduce((n, visit) => n + visit.forms.length, 0);
    rows.style.setProperty("--forms", size || 1);
    rows.style.setProperty("--visits", visits.length || 1);
    put(about, visits.length ? t("study.completeness.how", { n: all.length }) : "");
    put(none, !version ? t("study.no_protocol") : !all.length ? t("study.nobody") : t("study.nothing_missing"));
    show(none, !shown.length || !visits.length);
    head.replaceChildren(h("tr", {}, h("th", { scope: "col" }, h("span", { class: "hidden-label" }, t("study.participant"))),
      visits.map((visit) => h("th", { scope: "col", title: `${visit.name}: ${visit.forms.join(", ")}` }, heading(t, visit.name)))));
    const sites = [...new Set(shown.map((row) => row.site))].sort();
    const bodies = sites.length > 1 ? sites.map((name) => site(name, shown.filter((row) => row.site === name), visits)) : [h("tbody", {}, shown.map((row) => person(row, visits)))];
    const top = rows.scrollTop;
    rows.replaceChildren(shown.length && visits.length ? h("table", {}, head, ...bodies) : none);
    rows.scrollTop = top;
  });
  function again() {
    const seen = model.get("overview") || {};
    draw([seen.rows || [], seen.visits || [], seen.version || "", only, [...folded], model.get("opens") || []]);
  }
  // The fold and the filter are part of what is drawn.
  const el = h("div", { class: "panel heat" }, h("div", { class: "hd" }, h("h2", {}, t("study.completeness")), about, filter), h("div", { class: "bd" }, rows, legend));
  return { el, update: again };
}

const REPORT_LIGHTS = { overdue: "high", due_soon: "medium", running: "off" };

/** A check by its name, with what is looked at where the name does not say it. */
function checkName(t, one) {
  const kind = t(`safety.finding.${one.kind}`, {}, one.kind);
  return one.name.toLowerCase().includes(kind.toLowerCase()) ? one.name : `${one.name} (${kind})`;
}

/** What waits for somebody, most urgent first; then what deviates and what is locked. */
function todo(t, openLock) {
  const count = h("span", { class: "rt" });
  const list = h("ol", { class: "tasks" });
  const none = h("div", { class: "empty" }, t("study.tasks.none"));
  const more = h("div", { class: "xs sub" });
  const deviations = h("dl", { class: "kv" });
  const noDeviations = h("div", { class: "empty" }, t("study.deviations.none"));
  const locks = h("ul", { class: "locks s" });
  const noLocks = h("div", { class: "empty" }, t("study.locks.none"));
  const toLock = h("button", { type: "button", class: "link s rt", "data-name": "lock-study", onclick: openLock }, t("lock.study"));
  const lamp = (task) => (task.kind === "closing" ? (task.days >= -1 ? "medium" : "off") : "medium");
  const when = (task) => (task.kind === "closing" ? t(task.days === 0 ? "study.task.today" : "study.task.in", { n: -task.days }) : t(`study.task.${task.kind}`, { n: task.days }));
  const draw = whenChanged(([tasks, n, by, held, reports, checks]) => {
    const all = n + reports.length + checks.length;
    put(count, all ? thousands(all) : "");
    show(none, !all);
    // Reports have a clock of the law: they stand before what only the protocol asks for.
    list.replaceChildren(...reports.map((one) => h("li", { "data-name": `report-${one.state}` },
      h("div", { class: "line" }, light(REPORT_LIGHTS[one.state], t(`study.report.${one.state}`)), h("span", { class: "s sub who" }, one.participant || "—")),
      h("div", { class: "xs sub" }, t("study.report.what", { what: one.what, text: t.said(one, "text") })))),
    // A device in a body is looked at before a form that is late.
    ...checks.map((one) => h("li", { "data-name": `check-${one.state}` },
      h("div", { class: "line" }, light(one.state === "missed" ? "medium" : "off", one.days === 0 ? t("study.check.today") : t(`study.check.${one.state}`, { n: Math.abs(one.days) })), h("span", { class: "s sub who" }, one.participant)),
      h("div", { class: "xs sub" }, t("study.check.what", { name: checkName(t, one), day: one.day })))),
    ...tasks.slice(0, 60).map((task) => h("li", { "data-name": `task-${task.kind}` },
      h("div", { class: "line" }, light(lamp(task), when(task)), h("span", { class: "s sub who" }, task.participant)),
      h("div", { class: "xs sub" }, task.kind === "missing" ? t("study.task.forms", { visit: heading(t, task.visit), forms: task.forms.join(t("study.comma")) }) : t(`study.task.${task.kind}.what`, { visit: heading(t, task.visit), day: task.day })))));
    show(more, n > 60);
    put(more, t("study.more", { n: thousands(n - 60) }));
    const categories = Object.entries(by);
    show(noDeviations, !categories.length);
    deviations.replaceChildren(...categories.flatMap(([name, k]) => [h("dt", {}, word(t, "deviation", name)), h("dd", {}, thousands(k))]));
    show(deviations, categories.length > 0);
    show(noLocks, !held.length);
    put(toLock, t(held.some((lock) => lock.level === "hard") ? "lock.study_unlock" : "lock.study"));
    show(locks, held.length > 0);
    locks.replaceChildren(...held.map((lock) => h("li", {}, h("b", {}, t(`study.lock.${lock.level}`, { what: word(t, "table", lock.table) })), lock.participant ? ` ${lock.participant}` : "",
      h("div", { class: "xs sub" }, t("study.lock.by", { by: lock.by, day: lock.day, why: lock.reason })))));
  });
  const el = h("div", { class: "aside" },
    h("div", { class: "panel work" }, h("div", { class: "hd" }, h("h2", {}, t("study.tasks")), count), h("div", { class: "bd scroll", tabindex: 0, role: "region", "aria-label": t("study.tasks") }, none, list, more)),
    h("div", { class: "panel" }, h("div", { class: "hd" }, h("h2", {}, t("study.deviations"))), h("div", { class: "bd" }, noDeviations, deviations)),
    h("div", { class: "panel" }, h("div", { class: "hd" }, h("h2", {}, t("study.locks")), toLock), h("div", { class: "bd held", tabindex: 0, role: "region", "aria-label": t("study.locks") }, noLocks, locks)));
  return { el, update: (seen) => draw([seen.tasks || [], seen.n_tasks || 0, seen.deviations || {}, seen.locks || [], seen.reports || [], seen.checks || []]) };
}

/** The newest entries with the start of their hash, and in the heading what is known of the chain. */
function auditPanel(t) {
  const chain = h("span", { class: "rt", role: "status", "data-name": "chain" });
  const body = h("tbody");
  const drawChain = whenChanged(([seen, whole]) => {
    if (!whole) { chain.replaceChildren(light("off", t("study.chain.kept"), false)); return; }
    if (!seen) { chain.replaceChildren(light("off", t("study.chain.never"), false)); return; }
    const words = t(!seen.ok ? "study.chain.broken" : seen.before ? `study.chain.before.${seen.before}` : "study.chain.ok", { at: seen.at, by: seen.by, n: thousands(seen.seq) });
    const since = seen.ok && seen.since ? ` · ${t("study.chain.since", { n: thousands(seen.since) })}` : "";
    chain.replaceChildren(light(seen.ok ? "ok" : "high", `${words}${since}${seen.kept ? "" : ` · ${t("study.chain.unkept")}`}`, false));
  });
  const draw = whenChanged((entries) => body.replaceChildren(...entries.map((one) => h("tr", {},
    h("td", { class: "sub nowrap" }, one.at), h("td", {}, h("span", { class: "two" }, one.actor)), h("td", {}, word(t, "did", one.action)),
    h("td", {}, one.participant ? h("b", {}, `${one.participant} `) : null, word(t, "table", one.table)), h("td", { class: "mono sub" }, one.hash)))));
  const table = h("table", { class: "grid" }, h("thead", {}, h("tr", {}, ["when", "who", "did", "what", "entry"].map((name) => h("th", { scope: "col" }, t(`study.audit.${name}`))))), body);
  const el = h("div", { class: "panel audit" }, h("div", { class: "hd" }, h("h2", {}, t("study.audit")), chain), h("div", { class: "bd scroll", tabindex: 0, role: "region", "aria-label": t("study.audit") }, table));
  return { el, update: (seen) => { drawChain([seen.verification || null, seen.whole !== false]); draw(seen.entries || []); } };
}

function queryPanel(t) {
  const count = h("span", { class: "rt" });
  const body = h("tbody");
  const none = h("div", { class: "empty" }, t("study.queries.none"));
  const draw = whenChanged(([queries, n]) => {
    put(count, n > queries.length ? t("study.queries.shown", { n: queries.length, all: thousands(n) }) : n ? thousands(n) : "");
    show(none, !n);
    show(table, n > 0);
    body.replaceChildren(...queries.map((one) => h("tr", {}, h("th", { scope: "row" }, one.participant || "—"), h("td", {}, h("span", { class: "two" }, t.said(one, "text"))),
      h("td", { class: "num nowrap" }, t("study.days", { n: one.days })), h("td", { class: "sub nowrap" }, t(one.owner === "site" && !one.site ? "study.owner.no_site" : `study.owner.${one.owner}`, { site: one.site })))));
  });
  const table = h("table", { class: "grid" }, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("study.participant")), h("th", { scope: "col" }, t("study.queries.question")), h("th", { scope: "col", class: "num" }, t("study.queries.open")), h("th", { scope: "col" }, t("study.queries.with")))), body);
  const el = h("div", { class: "panel asked" }, h("div", { class: "hd" }, h("h2", {}, t("study.queries")), count), h("div", { class: "bd scroll", tabindex: 0, role: "region", "aria-label": t("study.queries") }, none, table));
  return { el, update: (seen) => draw([seen.queries || [], seen.n_queries || 0]) };
}

function numbers(t) {
  const el = h("div", { class: "numbers" });
  const draw = whenChanged(([flow, counts, asked, deviations]) => {
    const done = counts.verified + counts.complete || 0;
    const due = done + counts.draft + counts.missing || 0;
    const one = (name, value, loud = false) => h("div", { "data-name": `n-${name}` }, h("b", { class: loud ? "loud" : "" }, value), h("span", { class: "xs sub" }, t(`study.n.${name}`)));
    el.replaceChildren(one("enrolled", thousands(flow.enrolled)), one("complete", due ? `${Math.floor(100 * done / due)} %` : "—"), one("missing", thousands(counts.missing)),
      one("queries", thousands(asked)), one("deviations", thousands(Object.values(deviations).reduce((a, b) => a + b, 0))));
  });
  return { el, update: (seen) => draw([seen.flow || {}, seen.counts || {}, seen.n_queries || 0, seen.deviations || {}]) };
}

function buildStudyPage(root, model, t) {
  const problem = h("div", { class: "fielderror", role: "alert" });
  const told = h("div", { class: "s sub", role: "status", "data-name": "told" });
  const ask = (name, args = {}) => request(model, name, args).then((reply) => { put(problem, reply.ok ? "" : reply.silent ? t("study.silent") : t.said(reply, "text")); return reply; });
  const verify = button(t("study.verify"), () => ask("verify"), { name: "verify" });
  const store = button(t("study.export"), () => ask("export"), { name: "export" });
  const results = (model.get("opens") || []).includes("results") ? button(t("results.title"), () => ask("results"), { name: "results" }) : null;
  const back = (model.get("opens") || []).includes("back") ? button(t("study.back"), () => ask("back"), { kind: "quiet", name: "back" }) : null;
  const banner = h("div", { class: "msg high", role: "alert", id: "study-broken", "data-name": "broken" });
  const flow = flowPanel(t, openerOf(model, ask));
  const heat = heatmap(t, model, ask);
  const side = todo(t, () => lockSheet({ root, model, t }, ask));
  const lockedBanner = h("div", { class: "msg medium locked", role: "status", "data-name": "study-locked" });
  const audit = auditPanel(t);
  const asked = queryPanel(t);
  const sums = numbers(t);
  const title = h("p", { class: "sub s" });
  const drawBanner = whenChanged(([seen]) => {
    show(banner, Boolean(seen));
    if (!seen) { banner.replaceChildren(); return; }
    banner.replaceChildren(h("span", { html: WARNING.high }), h("div", {}, h("div", { class: "w" }, t("study.broken", { at: seen.at })),
      h("div", { class: "s" }, t("study.broken.first", { why: t.said(seen, "first") })), h("div", { class: "s" }, t(seen.problems > 1 ? "study.broken.do_n" : "study.broken.do", { n: thousands(seen.problems) }))));
  });
  function draw() {
    const seen = model.get("overview") || {};
    const work = model.get("work") || {};
    const broken = Boolean(seen.verification && !seen.verification.ok);
    put(title, [seen.study, seen.title, seen.version ? t("study.protocol", { version: seen.version }) : "", seen.date].filter(Boolean).join(" · "));
    drawBanner([broken ? seen.verification : null]);
    for (const part of [flow, heat, side, audit, asked, sums]) part.update(seen);
    const lock = hardLock(seen);
    put(lockedBanner, lock ? t("lock.banner", { by: lock.by, day: lock.day, why: lock.reason }) : "");
    show(lockedBanner, Boolean(lock));
    const runs = work.kind || "";
    verify.disabled = Boolean(runs);
    store.disabled = Boolean(runs) || broken;
    // The banner is the reason.
    if (broken) store.setAttribute("aria-describedby", "study-broken"); else store.removeAttribute("aria-describedby");
    put(verify, runs === "verify" ? t("study.verifying", { p: Math.round(100 * (work.share || 0)) }) : t("study.verify"));
    put(store, runs === "export" ? t("study.exporting", { s: work.s || 0 }) : t("study.export"));
    put(told, runs === "lock" ? t("lock.locking") : work.fault ? "" : t.said(work, "text"));
    if (work.fault) put(problem, t.said(work, "fault"));
  }
  root.append(h("section", { class: "study", "aria-label": t("study.title") },
    h("div", { class: "head" }, h("div", {}, h("h1", {}, t("study.title")), title), sums.el, h("div", { class: "acts" }, back, results, store, verify)),
    h("div", { class: "saying" }, told, problem), banner, lockedBanner,
    h("div", { class: "cols" }, h("div", { class: "main" }, h("div", { class: "top" }, flow.el, heat.el), h("div", { class: "bottom" }, audit.el, asked.el)), side.el)));
  const names = "change:overview change:work";
  const timer = setInterval(() => { if (document.visibilityState === "visible" && root.checkVisibility()) request(model, "look"); }, READ_AGAIN_MS);
  model.on(names, draw);
  draw();
  return () => { clearInterval(timer); model.off(names, draw); };
}

function render({ model, el }) {
  const root = h("div", { class: "wb wb-panel wb-page" });
  el.append(root);
  const stops = [followTheme(root, model), followLanguage(root, model, (host, t) => buildStudyPage(host, model, t))];
  return () => stops.forEach((stop) => stop());
}

export default { render };
