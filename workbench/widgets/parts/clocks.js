// Reports that are due: the urgent first, overdue the only red. Each row says who became aware and when, by which rule,
// and which days count. What was done about a report is kept from here, and nothing is sent.
import { button, h, put, request, show, whenChanged } from "./dom.js";
import { light } from "./icons.js";
import { saidAll } from "./entry.js";
import { area, field, selection, signedSheet } from "./signed.js";
import { momentField } from "./safety_forms.js";

const CLOCK_LIGHT = { overdue: "high", due_soon: "medium", running: "off", sent_late: "ok", sent: "ok" };
const MARKED = ["sent", "sent_late"];

const formats = new Map();
/** A format is made once: making one takes longer than everything else of a row. */
function written(t, date, zone, more) {
  const year = date.getFullYear() === new Date().getFullYear() ? {} : { year: "numeric" };
  const options = { weekday: "short", day: "numeric", month: "short", ...year, ...more, timeZone: zone };
  const key = t("form.locale") + JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(t("form.locale"), options));
  return formats.get(key).format(date);
}

/** Mon 23 Nov, 08:05 on the clock of a time zone; of another year with it. */
export const momentOf = (t, utc, zone = undefined) => (utc ? written(t, new Date(utc), zone, { hour: "2-digit", minute: "2-digit" }) : "—");

/** How long something lasted, in words. */
export function lasted(t, from, to) {
  const minutes = Math.max(0, Math.floor((new Date(to) - new Date(from)) / 60000));
  if (minutes < 60) return t("safety.for.min", { n: minutes });
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? t("safety.for.h", { n: hours, min: minutes % 60 }) : t("safety.for.d", { n: Math.floor(hours / 24), h: hours % 24 });
}

const ruleWords = ({ law }) => [law.regime, law.clause, law.year ? `(${law.year})` : ""].filter(Boolean).join(" ");
/** Reports, each with the rule that it is due under. */
const reportsOf = (page) => (page.reports || []).map((one) => ({ ...one, law: page.laws[one.rule] }));
const addressees = (t, one) => one.addressees.map((name) => t(`safety.addressee.${name}`, {}, name)).join(t("person.and"));
const whatWords = (one) => [one.participant, one.what].filter(Boolean).join(" ");

/** A square for each day that counts, a dot for each that does not; today has a frame. */
function dayMarks(t, one) {
  const { first, counts, today, why } = one.days;
  const named = why.map((day) => `${day.day} ${t.said(day, "text")}`);
  const dayAt = (i) => new Date(Date.parse(`${first}T12:00:00Z`) + 86400000 * i).toISOString().slice(0, 10);
  const kind = (counted, i) => [counted ? "" : "h", i === today ? "t" : i < today && counted ? "f" : ""].filter(Boolean).join(" ");
  const marks = [...counts].map((mark, i) => h("i", { class: kind(mark === "1", i), title: named.find((words) => words.startsWith(dayAt(i))) || dayAt(i) }));
  return h("span", { class: "days", role: "img", "aria-label": [t("safety.day_of", { n: one.counted, of: one.of }), ...named].join(t("person.and")) }, marks);
}

/** What is left or over, in words that fit a column; the whole sentence stands in the report. */
function stateWords(t, one, now) {
  if (MARKED.includes(one.state)) return t(`safety.report.${one.state}`);
  const between = one.state === "overdue" ? [one.due, now] : [now, one.due];
  return t(one.state === "overdue" ? "safety.report.overdue" : "safety.report.left", { time: lasted(t, ...between) });
}

/** Until when, in the time zone of awareness: a moment, or the end of a day. */
function dueWords(t, one) {
  if (one.extended_until) return t("safety.extended_to", { at: momentOf(t, one.extended_until, one.zone) });
  if (one.law.hours) return t("safety.due_at", { at: momentOf(t, one.due, one.zone) });
  const last = new Date(new Date(one.due) - 1);
  return t(one.no_calendar ? "safety.earliest" : "safety.end_of", { day: written(t, last, one.zone, {}) });
}

const lampOf = (one) => (one.no_calendar && one.state === "running" ? "medium" : CLOCK_LIGHT[one.state]);

// ---------------------------------------------------------------------------------------------- one report
function tellSheet(ctx, one) {
  const { t } = ctx;
  const whom = field(t("safety.told.whom"), "told-whom", { maxlength: 300 });
  const how = field(t("safety.told.how"), "told-how", { maxlength: 300 });
  const next = field(t("safety.told.next"), "told-next", { maxlength: 1000 });
  const about = selection(t("safety.told.about"), "told-about", [[one.rule, t("safety.told.report")], ["", t("safety.told.event")]]);
  signedSheet(ctx, {
    name: "tell-sheet", title: t("safety.tell_title", { what: whatWords(one) }), verb: t("safety.tell"), change: "TellSomebody",
    parts: [h("div", { class: "pair" }, whom.el, how.el), next, about],
    fields: () => ({ table: one.table, row_id: one.row_id, rule: about.value(), person: whom.value(), how: how.value(), next_step: next.value() }),
    lacking: () => (whom.value() && how.value() ? "" : t("safety.needs_told")),
  });
}

function extendSheet(ctx, one) {
  const { t } = ctx;
  const until = momentField(t("safety.extend.until"), "extend-until");
  const who = field(t("safety.extend.who"), "extend-who", { maxlength: 300 });
  const reference = field(t("safety.extend.reference"), "extend-reference", { maxlength: 300 });
  const why = area(t("safety.extend.why"), "extend-why");
  signedSheet(ctx, {
    name: "extend-sheet", title: t("safety.extend_title", { what: whatWords(one) }), verb: t("safety.extend"), change: "ExtendObligation",
    parts: [h("p", { class: "s sub" }, t("safety.extend.stays", { due: t.said(one, "due_text") })), h("div", { class: "pair" }, until.el, who.el), reference, why],
    fields: () => ({ table: one.table, row_id: one.row_id, rule: one.rule, until: until.utc(), reference: reference.value(), person: who.value() }),
    reason: () => why.value(), lacking: () => (until.value() && who.value() && reference.value() && why.value() ? "" : t("person.needs_words")),
  });
}

function retractSheet(ctx, one) {
  const { t } = ctx;
  const why = area(t("safety.retract.why"), "retract-why");
  signedSheet(ctx, {
    name: "retract-sheet", title: t("safety.retract_title", { what: whatWords(one) }), verb: t("safety.retract"), change: "RetractSent",
    parts: [h("p", { class: "s" }, t("safety.retract.means", { at: momentOf(t, one.sent_at), reference: one.reference })), why],
    fields: () => ({ event_id: one.sent_id }), reason: () => why.value(), lacking: () => (why.value() ? "" : t("safety.needs_reason")),
  });
}

export function seenSheet(ctx, { id, title, about }) {
  const { t } = ctx;
  const at = momentField(t("safety.seen.at"), "seen-at");
  const reference = field(t("safety.seen.reference"), "seen-reference", { maxlength: 300 });
  signedSheet(ctx, {
    name: "seen-sheet", title, verb: t("safety.seen"), change: "MarkSeen", parts: [h("p", { class: "s" }, about), h("div", { class: "pair" }, at.el, reference.el)],
    fields: () => ({ event_id: id, at: at.utc(), reference: reference.value() }),
  });
}

/** All that is known of a report: why it is due, what it rests on, what was done. */
function reportFacts(ctx, one) {
  const { t } = ctx;
  const fact = (name, ...shown) => [h("dt", {}, t(`safety.fact.${name}`)), h("dd", {}, shown)];
  const facts = [
    fact("aware", t("safety.aware_of", { by: one.aware.by, at: momentOf(t, one.aware.at, one.zone), zone: one.zone })),
    fact("rule", ruleWords(one), h("div", { class: "xs sub" }, one.law.citation)),
    fact("time", t.said(one.law, "time"), h("div", { class: "xs sub" }, t.said(one, "due_text"))),
    one.extended_until ? fact("extended", momentOf(t, one.extended_until, one.zone)) : [],
    fact("from_to", t("safety.from_to", { from: t(`safety.reporter.${one.reporter}`, {}, one.reporter), to: addressees(t, one) })),
    one.sent_at ? fact("sent", `${momentOf(t, one.sent_at)} · ${one.reference}`, one.late_because ? h("div", { class: "xs sub" }, t("safety.late_because", { why: one.late_because })) : null) : [],
    one.acknowledged_at ? fact("acknowledged", momentOf(t, one.acknowledged_at)) : [],
  ];
  const notes = [t.said(one, "kept"), ...saidAll(t, one, "warnings")].filter(Boolean);
  return h("div", { class: "stack report" }, h("div", {}, light(lampOf(one), t.said(one, "text"))), one.days.counts ? h("div", {}, h("div", { class: "xs sub" }, t("safety.day_of", { n: one.counted, of: one.of })), dayMarks(t, one)) : null,
    h("dl", { class: "facts2 s" }, facts), notes.map((note) => h("div", { class: "s note" }, light("medium", note, false))),
    one.retracted.map((was) => h("div", { class: "s note" }, light("off", t("safety.was_retracted", { at: momentOf(t, was.sent_at), reference: was.reference, by: was.by, on: momentOf(t, was.at), why: was.reason }), false))));
}

/** A report: to send, to be acknowledged, or done; and what else can be kept about it. */
export function reportSheet(ctx, one) {
  const { t } = ctx;
  const sent = MARKED.includes(one.state);
  const lead = (name, act) => (close) => button(t(`safety.${name}`), () => { close(); act(ctx, one); }, { kind: "quiet", name: `lead-${name}` });
  const ways = [lead("tell", tellSheet), ...(sent ? [lead("retract", retractSheet)] : one.state === "overdue" ? [] : [lead("extend", extendSheet)])];
  const more = (close) => h("div", { class: "stack" }, reportFacts(ctx, one), h("div", { class: "row wrap ways" }, ways.map((way) => way(close))));
  const title = t("safety.report_title", { what: whatWords(one), to: addressees(t, one) });
  const reference = field(t(sent ? "safety.seen.reference" : "safety.reference"), "reference", { maxlength: 300 });
  const at = momentField(t(sent ? "safety.seen.at" : "safety.sent_at"), "sent-at");
  const fields = h("div", { class: "pair" }, reference.el, at.el);
  if (sent) {
    const done = Boolean(one.acknowledged_at);
    return signedSheet(ctx, {
      name: "report-sheet", title, more, verb: t("safety.acknowledged"), change: "MarkSeen", parts: done ? [] : [fields],
      fields: () => ({ event_id: one.sent_id, at: at.utc(), reference: reference.value() }), lacking: () => (done ? t("safety.acknowledged_already") : ""),
    });
  }
  const why = area(t("safety.why_late"), "why-late");
  const late = () => (at.utc() || new Date().toISOString()) >= new Date(one.due).toISOString();
  return signedSheet(ctx, {
    name: "report-sheet", title, more, verb: t("safety.mark_sent"), change: "MarkSent", parts: [fields, ...(one.state === "overdue" ? [why] : [])],
    fields: () => ({ table: one.table, row_id: one.row_id, rule: one.rule, reference: reference.value(), at: at.utc() }),
    reason: () => why.value(), lacking: () => (!reference.value() ? t("safety.needs_reference") : one.state === "overdue" && late() && !why.value() ? t("safety.needs_why_late") : ""),
  });
}

// ---------------------------------------------------------------------------------------------- the list
/** Reports, the chosen one marked. `ctx.chosen()` is its key, `ctx.choose(key)` chooses. */
export function clockPanel(ctx) {
  const { t, model } = ctx;
  const cut = h("span", { class: "rt", role: "status", "data-name": "cut-off" });
  const all = h("button", { type: "button", class: "link s", "data-name": "all-reports", "aria-pressed": "false", onclick: () => { ctx.all = !ctx.all; again(); } });
  const legend = h("span", { class: "legend xs sub", "aria-hidden": "true" }, h("span", {}, h("i", { class: "sq" }), t("safety.legend.counts")), h("span", {}, h("i", { class: "sq h" }), t("safety.legend.off")), h("span", {}, h("i", { class: "sq t" }), t("safety.legend.today")));
  const list = h("ol", { class: "ob" });
  const none = h("p", { class: "empty", "data-name": "no-reports" });
  const offBox = h("details", { class: "rulesoff", "data-name": "rules-off" });
  const why = h("p", { class: "s bad", role: "alert", "data-name": "sending-off" });
  const rest = h("p", { class: "xs sub", "data-name": "more-reports" });
  const scroll = h("div", { class: "bd scroll", role: "region", tabindex: 0, "aria-label": t("safety.reports") }, why, list, rest, none);
  const hidden = h("p", { class: "xs sub", "data-name": "kept-from-you" }, t("safety.kept_from_you"));
  const row = (one, now) => {
    const open = button(t(MARKED.includes(one.state) ? "safety.open_sent" : "safety.open"), () => { ctx.choose(one.key); reportSheet(ctx, one); }, { name: "open-report" });
    open.setAttribute("aria-label", `${t("safety.open")}: ${whatWords(one)}, ${ruleWords(one)}`);
    open.addEventListener("focus", () => ctx.choose(one.key));
    const due = h("small", { title: t.said(one, "due_text") }, dueWords(t, one));
    const marks = MARKED.includes(one.state) ? [h("small", {}, t("safety.sent_of", { at: momentOf(t, one.sent_at), reference: one.reference })), h("small", {}, one.acknowledged_at ? t("safety.acknowledged_on", { at: momentOf(t, one.acknowledged_at) }) : t("safety.not_acknowledged"))]
      : one.state === "overdue" ? [h("small", {}, t("safety.send_now"))] : one.days.counts ? [dayMarks(t, one)] : [];
    const day = one.of && !MARKED.includes(one.state) ? t("safety.day_short", { n: one.counted, of: one.of }) : "";
    return h("li", { class: [CLOCK_LIGHT[one.state] === "high" ? "high" : one.state, one.no_calendar ? "earliest" : "", one.key === ctx.chosen() ? "on" : ""].filter(Boolean).join(" "), "data-key": one.key, "data-state": one.state, onclick: () => ctx.choose(one.key) },
      light(lampOf(one)), h("div", { class: "k" }, h("span", { class: "w" }, stateWords(t, one, now)), due),
      h("div", { class: "what" }, h("span", { class: "w" }, t("safety.row", { what: whatWords(one), to: addressees(t, one) })), h("small", {}, t("safety.aware_row", { at: momentOf(t, one.aware.at, one.zone), by: one.aware.by }), one.kept ? h("b", {}, ` · ${t("safety.kept")}`) : null)),
      h("div", { class: "rule", title: one.law.citation }, h("small", {}, [ruleWords(one), t.said(one.law, "time"), day].filter(Boolean).join(t("person.and"))), marks), open);
  };
  const drawOff = whenChanged((off) => {
    show(offBox, off.length > 0);
    offBox.replaceChildren(...(off.length ? [h("summary", {}, light("medium", t(off.length === 1 ? "safety.one_rule_off" : "safety.rules_off", { n: off.length, rules: off.map((one) => one.rule).join(t("person.and")) }), false)),
      h("ul", {}, off.map((one) => h("li", {}, h("div", { class: "s" }, t.said(one, "text")), h("div", { class: "xs sub" }, one.about.slice(0, 6).join(t("person.and")), one.about.length > 6 ? ` … ${one.about.length}` : ""), h("button", { type: "button", class: "link xs", "data-name": `confirm-${one.rule}`, onclick: () => confirmRuleSheet(ctx, one) }, t("safety.confirm_rule")))))] : []));
  });
  const draw = whenChanged(([reports, now, everything]) => {
    const focused = document.activeElement?.closest?.(".ob li")?.dataset.key;
    const shown = everything ? reports : reports.filter((one) => !MARKED.includes(one.state));
    list.replaceChildren(...shown.map((one) => row(one, now)));
    show(none, !shown.length);
    if (focused) list.querySelector(`li[data-key="${CSS.escape(focused)}"] .btn`)?.focus({ preventScroll: true });
  });
  function again() {
    const page = model.get("page") || {};
    const look = model.get("look") || {};
    const reports = reportsOf(page);
    put(cut, look.fault ? t("study.unreachable", { at: look.read_at || "—", why: t.said(look, "fault") }) : t("study.as_of", { at: look.read_at || "—" }));
    cut.classList.toggle("bad", Boolean(look.fault));
    put(why, look.fault ? t("safety.sending_off") : "");
    show(why, Boolean(look.fault));
    put(all, t(ctx.all ? "safety.unsent_only" : "safety.all_reports", { n: (page.n_waiting || 0) + (page.n_sent || 0) }));
    all.setAttribute("aria-pressed", String(Boolean(ctx.all)));
    show(all, Boolean(page.n_sent));
    const left = (page.n_waiting || 0) + (ctx.all ? page.n_sent || 0 : 0) - reports.filter((one) => ctx.all || !MARKED.includes(one.state)).length;
    put(rest, t("safety.more", { n: left }));
    show(rest, left > 0);
    put(none, t(page.n_sent ? "safety.all_sent" : "safety.no_reports"));
    show(hidden, Boolean(page.concealed));
    draw([reports, page.now, Boolean(ctx.all)]);
    for (const one of list.children) one.classList.toggle("on", one.dataset.key === ctx.chosen());
    drawOff(page.off || []);
  }
  const el = h("div", { class: "panel clocks" }, h("div", { class: "hd" }, h("h2", {}, t("safety.reports")), h("span", { class: "s mute how" }, t("safety.reports.how")), legend, all, cut), hidden, scroll, offBox);
  /** To the next or the one before; the button that opens it has the focus. */
  const step = (by) => {
    const rows = [...list.children];
    const at = rows.findIndex((one) => one.dataset.key === ctx.chosen());
    const next = rows[Math.min(rows.length - 1, Math.max(0, at + by))];
    next?.querySelector(".btn").focus();
  };
  return { el, update: again, step };
}

function confirmRuleSheet(ctx, one) {
  const { t } = ctx;
  const source = area(t("safety.source"), "rule-source");
  signedSheet(ctx, {
    name: "rule-sheet", title: t("safety.confirm_title", { rule: one.rule }), verb: t("safety.confirm_rule"), change: "ConfirmRule",
    parts: [h("p", { class: "s" }, t.said(one, "text")), source], fields: () => ({ rule: one.rule, source: source.value() }), lacking: () => (source.value() ? "" : t("safety.needs_source")),
  });
}

/** Who was told of the chosen report: seen, not sent, and the next step. */
export function toldPanel(ctx) {
  const { t, model } = ctx;
  const about = h("p", { class: "xs sub" });
  const list = h("ul", { class: "told" });
  const none = h("p", { class: "empty" }, t("safety.told.none"));
  const tell = button(t("safety.tell"), () => tellSheet(ctx, chosen()), { name: "tell" });
  const chosen = () => reportsOf(model.get("page")).find((one) => one.key === ctx.chosen());
  const row = (one, told, now) => {
    const title = t("safety.seen_title", { who: told.person });
    const lines = told.seen_at ? t("safety.told.seen", { time: lasted(t, told.at, told.seen_at) }) : t("safety.told.unseen", { time: lasted(t, told.at, now) });
    return h("li", {}, h("div", { class: "row between" }, light(told.seen_at ? "ok" : "medium", t("safety.told.who", { who: told.person, how: told.how })), h("time", { class: "xs sub", datetime: told.seen_at || told.at }, lines)),
      h("div", { class: "xs sub" }, t("safety.told.at", { at: momentOf(t, told.at), by: told.by })), told.next_step ? h("div", { class: "xs next" }, t("safety.told.next_is", { step: told.next_step })) : null,
      told.seen_at ? null : h("button", { type: "button", class: "link xs", "data-name": "seen", "aria-label": title, onclick: () => seenSheet(ctx, { id: told.event_id, title, about: t("safety.told.who", { who: told.person, how: told.how }) }) }, t("safety.seen")));
  };
  const draw = whenChanged(([one, now]) => {
    put(about, one ? t("safety.told.of", { what: whatWords(one) }) : t("safety.told.choose"));
    list.replaceChildren(...(one ? one.told.map((told) => row(one, told, now)) : []));
    show(none, Boolean(one) && !one.told.length);
    show(tell, Boolean(one));
  });
  const el = h("div", { class: "panel who" }, h("div", { class: "hd" }, h("h2", {}, t("safety.told"))), h("div", { class: "bd scroll", role: "region", tabindex: 0, "aria-label": t("safety.told") }, about, list, none, tell));
  return { el, update: () => draw([chosen() || null, (model.get("page") || {}).now]) };
}
