// The page of a participant. Identity first and large; one axis of time; visits and forms beside outcomes; on the right
// consent, queries and deviations, above the place of STOP. Every value leads to its history.
import { button, followLanguage, followTheme, h, put, request, show, whenChanged } from "./parts/dom.js";
import { SIMULATED, light } from "./parts/icons.js";
import { sheet, when } from "./parts/entry.js";
import { area, field, selection, signedSheet } from "./parts/signed.js";
import { correctLink, decideLinks, isStale, lockLines, queriesBeside, queryRow, shownValue, signatureLines, textSheet } from "./parts/entered_forms.js";
import { codeSheet, deficiencySheet, eventSheet, reviseSheet } from "./parts/safety_forms.js";
import { askSheet, canFill, fillSheet, heldSheet, signLine, stepsPanel } from "./parts/steps.js";
import { implantPanel } from "./parts/implants.js";
import { corePanel, treatmentPanel } from "./parts/treatments.js";
import { sessionLines, sessionLink, startButton } from "./parts/visit_sessions.js";
import { helpWords, legendOf, multiple } from "./parts/multiples.js";
import { dayOf, sized, timeline } from "./parts/timeline.js";

const READ_MS = 20000;
const FIRST = 6; // pictures before the button that shows all
const VISIT_LAMP = { held: "ok", held_early: "ok", held_late: "ok", due: "dot", late: "medium", missed: "medium" };
const FORM_LAMP = { verified: "ok", complete: "ok", incomplete: "dot", draft: "dot", second: "dot", differ: "medium", missing: "medium" };

/** A value that is pressed for its history. */
function historyValue(ctx, words, { table, row, name, label }) {
  const { t } = ctx;
  return h("button", { type: "button", class: "value", "data-name": `history-${table}-${name}`, "aria-label": `${words}, ${t("person.history_of", { label })}`, onclick: () => historyList(ctx, table, row, name, label) }, words);
}

function historyList(ctx, table, row, name, label) {
  const { t, model } = ctx;
  sheet(ctx, t("person.history_title", { label }), (box) => {
    const body = h("div", { class: "stack", "data-name": "history" }, h("p", { class: "s sub" }, t("person.reading")));
    box.append(body);
    const told = (value) => (value === null || value === undefined || value === "" ? "—" : typeof value === "object" ? JSON.stringify(value) : String(value));
    request(model, "history", { table, row, field: name }, 20).then((reply) => {
      if (!reply.ok) return body.replaceChildren(h("div", { class: "fielderror", role: "alert" }, reply.silent ? t("person.silent") : t.said(reply, "text")));
      if (!reply.value.length) return body.replaceChildren(h("p", { class: "s sub" }, t("person.no_history")));
      return body.replaceChildren(h("ol", { class: "entries" }, reply.value.map((one) => h("li", {}, h("div", { class: "xs sub" }, `${when(t, one.utc)} · ${one.actor}`),
        h("div", { class: "s" }, one.redacted ? t("person.redacted") : one.from === null || one.from === undefined ? told(one.to) : `${told(one.from)} → ${told(one.to)}`), one.reason ? h("div", { class: "xs sub" }, one.reason) : null))));
    });
  }, "history-sheet");
}

/** What a form is called, with the help under which it is done where it says so. */
function titleOf(t, form) {
  const on = form.help ? form.help.split("+") : [];
  const help = { assisted: on.includes("assisted"), device_on: on.includes("device"), stimulation_on: on.includes("stimulation") };
  return [t(`title.${form.measure}`, {}, form.title), on.length ? helpWords(t, help) : ""].filter(Boolean).join(" · ");
}

/** Entries of a form at a visit: the values of each, with their histories. */
function formSheet(ctx, form, visit) {
  const { t, model } = ctx;
  const about = (row) => (row.table === "form" ? t(row.about.entry === 0 ? "person.entry_agreed" : "person.entry", { n: row.about.entry, by: row.about.by })
    : [t(row.about.device_on ? "person.device_on" : "person.device_off"), t(row.about.assisted ? "person.assisted" : "person.unassisted"), row.about.side ? t(`form.side.${row.about.side}`, {}, row.about.side).toLowerCase() : "", row.about.rater].filter(Boolean).join(t("person.and")));
  sheet(ctx, `${titleOf(t, form)} · ${visit.name}`, (box, close) => {
    for (const row of form.rows) {
      const body = h("div", { class: "stack" }, h("p", { class: "s sub" }, t("person.reading")));
      const ask = h("button", { type: "button", class: "link xs", "data-name": "ask-query", onclick: () => { close(); askSheet(ctx, row, form.title); } }, t("steps.ask_about"));
      box.append(h("div", { class: "row between" }, h("h3", {}, about(row)), h("div", { class: "row" }, correctLink(ctx, form, visit, row, close, about(row)), ask)), body, ...[signatureLines(ctx, row), queriesBeside(ctx, row, close)].filter(Boolean));
      request(model, "values", { table: row.table, row: row.id }, 20).then((reply) => {
        if (!reply.ok) return body.replaceChildren(h("div", { class: "fielderror", role: "alert" }, reply.silent ? t("person.silent") : t.said(reply, "text")));
        const named = (one) => t(`measure.${form.measure}.${one.field}`, {}, one.label);
        return body.replaceChildren(reply.value.length ? h("dl", { class: "kv" }, reply.value.flatMap((one) => [h("dt", {}, named(one)), h("dd", {}, historyValue(ctx, [shownValue(t, one.value), one.value && one.value.missing ? "" : one.unit].filter(Boolean).join(" "), { table: row.table, row: row.id, name: one.field, label: named(one) }))])) : h("p", { class: "s sub" }, t("person.no_values")));
      });
    }
    box.append(...decideLinks(ctx, form, visit, close), signLine(ctx, form.rows));
  }, "form-sheet");
}

// ---------------------------------------------------------------------------------------------- identity
function identityHead(ctx) {
  const { t, model } = ctx;
  const name = h("h1", { tabindex: -1, "data-name": "person" });
  const chip = h("span", { class: "chip line", "data-name": "person-simulated" }, h("span", { html: SIMULATED }), t("bar.simulated_participant"));
  const facts = h("dl", { class: "facts" });
  const back = button(t("person.back"), () => request(model, "back"), { name: "back" });
  const start = startButton(ctx);
  const hold = h("div", { class: "row", role: "status", "data-name": "hold" });
  const other = h("div", { class: "msg medium", role: "status", "data-name": "other-session" });
  const locks = lockLines(ctx);
  const el = h("div", { class: "stack top" }, h("div", { class: "idhead" }, h("div", { class: "who" }, name, chip), facts, h("div", { class: "row acts" }, back, start.el)), hold, locks.el, other);
  const draw = whenChanged((page) => {
    const { person, enrolment } = page;
    const value = (words, column, label) => (words ? historyValue(ctx, words, { table: "participant", row: person.id, name: column, label }) : null);
    const fact = (key, ...shown) => (shown.some(Boolean) ? [h("dt", {}, t(`person.fact.${key}`)), h("dd", {}, shown)] : []);
    const consent = page.consents.find((one) => one.purpose === "participation") || {};
    put(name, person.pseudonym);
    show(chip, person.simulated);
    facts.replaceChildren(...[
      fact("injury", value(person.injury_level, "injury_level", t("person.fact.injury")), value(person.ais && `AIS ${person.ais}`, "ais", "AIS"), person.injured_on ? h("span", {}, value(dayOf(t, person.injured_on), "injured_on", t("person.fact.injured"))) : null),
      fact("side", value(person.trained_side && t(`form.side.${person.trained_side}`, {}, person.trained_side), "trained_side", t("person.fact.side"))),
      fact("enrolment", enrolment.id ? historyValue(ctx, t(`person.status_of.${enrolment.status}`, {}, enrolment.status), { table: "enrolment", row: enrolment.id, name: "status", label: t("person.fact.enrolment") }) : h("span", { class: "sub" }, t("person.not_enrolled")), enrolment.protocol ? t("person.protocol", { version: enrolment.protocol }) : null),
      fact("consent", consent.state === "granted" ? t("person.consent_of", { version: consent.version, date: dayOf(t, consent.on) }) : light("medium", t(`person.consent.${consent.state || "missing"}`))),
      fact("next", page.next.name ? `${page.next.name}, ${dayOf(t, page.next.planned || page.next.earliest)}` : null, page.next.state === "late" ? light("medium", t("person.visit.late")) : null),
    ].flatMap((pair) => (pair.length ? [h("div", {}, ...pair)] : [])));
    show(back, model.get("can_go_back"));
    start.update(page);
    hold.replaceChildren(...(person.hold ? [light("high", t("person.fact.hold")), historyValue(ctx, person.hold, { table: "participant", row: person.id, name: "hold", label: t("person.fact.hold") })] : []));
    show(hold, Boolean(person.hold));
    put(other, page.other_session ? t("person.other_session", { other: page.other_session, person: person.pseudonym }) : "");
    show(other, Boolean(page.other_session));
    locks.update(page);
  });
  return { el, name, update: (page) => draw({ person: page.person, enrolment: page.enrolment, consents: page.consents, next: page.next, other_session: page.other_session, locks: page.locks, visits: page.visits.map((one) => [one.id, one.name, one.state]) }) };
}

// ---------------------------------------------------------------------------------------------- visits, outcomes
function panelOf(title, right = null) {
  const head = h("h2", {}, title);
  const body = h("div", { class: "bd" });
  return { el: h("section", { class: "panel", "aria-label": title }, h("div", { class: "hd" }, head, right ? h("span", { class: "rt" }, right) : null), body), body };
}

/** How many forms of a visit are in each state, in words. */
function counted(t, forms) {
  const states = ["missing", "differ", "second", "draft", "incomplete", "open", "complete", "verified", "not_due", "not_held", "withdrawn"];
  const parts = states.map((state) => [state, forms.filter((one) => one.state === state).length]).filter(([, n]) => n);
  return parts.map(([state, n]) => t(`person.count.${state}`, { n })).join(t("person.and"));
}

function visitList(ctx) {
  const { t } = ctx;
  const { el, body } = panelOf(t("person.visits"));
  const unfolded = new Set();
  const row = (visit) => {
    const days = visit.held ? t("person.held_on", { date: dayOf(t, visit.held) }) : visit.earliest ? t("person.window", { from: dayOf(t, visit.earliest), to: dayOf(t, visit.latest) }) : visit.anchor ? t("person.waits_for", { anchor: t(`person.anchor.${visit.anchor}`, {}, visit.anchor) }) : t("person.no_day");
    const forms = h("details", {}, h("summary", { "data-name": `forms-${visit.name}` }, counted(t, visit.forms)), h("ul", {}, visit.forms.map((form) => {
      const title = titleOf(t, form);
      const fill = canFill(ctx.model.get("page"), form, visit) ? h("button", { type: "button", class: "link xs", "data-name": `fill-${visit.name}-${form.name}`, onclick: () => fillSheet(ctx, form, visit) }, t("steps.fill")) : null;
      return h("li", {}, form.rows.length ? h("button", { type: "button", class: "value", "data-name": `form-${visit.name}-${form.name}`, onclick: () => formSheet(ctx, form, visit) }, title) : h("span", {}, title), fill, isStale(ctx.model.get("page"), form) ? light("medium", t("forms.stale"), false) : light(FORM_LAMP[form.state] || "off", t(`person.form.${form.state}`), false));
    })));
    const hold = visit.id && ["due", "late", "ahead", "open"].includes(visit.state) ? h("button", { type: "button", class: "link xs", "data-name": `hold-${visit.name}`, "aria-label": t("steps.held_title", { visit: visit.name }), onclick: () => heldSheet(ctx, visit) }, t("steps.held")) : null;
    forms.open = unfolded.has(visit.name);
    forms.addEventListener("toggle", () => (forms.open ? unfolded.add(visit.name) : unfolded.delete(visit.name)));
    return h("li", { class: `visit ${visit.state}` }, h("div", { class: "row between" }, h("b", { class: "semi" }, visit.name), light(VISIT_LAMP[visit.state] || "off", t(`person.visit.${visit.state}`), false)),
      h("div", { class: "xs sub" }, visit.id && visit.planned ? historyValue(ctx, days, { table: "visit", row: visit.id, name: "planned", label: t("person.planned_day", { visit: visit.name }) }) : days, [hold, sessionLink(ctx, visit)].filter(Boolean).flatMap((one) => [" ", one])), sessionLines(ctx, visit), visit.forms.length ? forms : null);
  };
  const draw = whenChanged(([visits]) => body.replaceChildren(visits.length ? h("ul", { class: "visits" }, visits.map(row)) : h("p", { class: "empty" }, t("person.no_visits"))));
  return { el, update: (page) => draw([page.visits, page.steps, page.sessions, page.signatures, page.queries, page.concealed]) };
}

function outcomePanel(ctx) {
  const { t } = ctx;
  const legend = h("div", { class: "legend xs" });
  const { el, body } = panelOf(t("person.outcomes"));
  el.querySelector(".hd").append(legend);
  const note = h("p", { class: "xs sub" });
  const grid = h("div", { class: "multiples" });
  const none = h("p", { class: "empty" });
  let all = false;
  let places = [];
  const more = button("", () => { all = !all; redraw(shown); }, { kind: "quiet", name: "all-outcomes" });
  body.append(note, grid, none, more);
  let shown = { measures: [], concealed: false };
  const redraw = ({ measures, concealed }) => {
    places.forEach((one) => one.stop());
    places = measures.slice(0, all ? undefined : FIRST).map((one) => sized((width) => multiple(t, one, width)));
    grid.replaceChildren(...places.map((one) => one.el));
    legend.replaceChildren(...legendOf(t, measures));
    put(note, concealed ? t("person.concealed") : "");
    show(note, concealed);
    put(none, t("person.no_outcomes"));
    show(none, !measures.length);
    put(more, t(all ? "person.fewer" : "person.all_outcomes", { n: measures.length }));
    show(more, measures.length > FIRST);
  };
  const draw = whenChanged((next) => { shown = next; redraw(shown); });
  return { el, update: (page) => draw({ measures: page.measures, concealed: page.concealed }), stop: () => places.forEach((one) => one.stop()) };
}

// ---------------------------------------------------------------------------------------------- consent
function consentSheet(ctx, page) {
  const { t } = ctx;
  const boxes = page.consents.map((one) => {
    const needed = one.required && (one.state !== "granted" || one.newer);
    const box = h("input", { type: "checkbox", class: "tick", "data-name": `purpose-${one.purpose}`, value: one.purpose, checked: Boolean(needed) });
    const known = one.state === "granted" ? t("person.has_version", { version: one.version }) : one.required ? t("person.required") : "";
    return { box, el: h("label", { class: "purpose" }, box, h("span", { class: "s" }, t(`person.purpose.${one.purpose}`, {}, one.purpose)), h("span", { class: "xs sub" }, known)) };
  });
  const version = field(t("person.document_version"), "document-version", { value: page.document });
  const on = field(t("person.signed_on"), "consented-on", { type: "date", max: page.today, value: page.today });
  const given = selection(t("person.given_by"), "given-by", ["participant", "representative"].map((one) => [one, t(`person.given.${one}`)]));
  const witness = field(t("person.witness"), "witness");
  const language = selection(t("person.document_language"), "document-language", [["", "—"], ["en", "English"], ["zh-CN", "中文"]]);
  const chosen = () => boxes.filter((one) => one.box.checked).map((one) => one.box.value);
  signedSheet(ctx, {
    name: "consent-sheet", title: t("person.record_consent_of", { person: page.person.pseudonym }), verb: t("person.record_consent"), change: "GiveConsent",
    parts: [h("fieldset", { class: "purposes" }, h("legend", { class: "xs sub" }, t("person.purposes")), boxes.map((one) => one.el)), h("div", { class: "pair" }, version.el, on.el), h("div", { class: "pair" }, given.el, language.el), witness.el],
    fields: () => ({ purposes: chosen().join(","), document_version: version.value(), consented_on: on.value(), given_by: given.value(), witness: witness.value(), language: language.value() }),
    lacking: () => (!chosen().length ? t("person.needs_purpose") : !version.value() ? t("person.needs_version") : !on.value() ? t("person.needs_date") : ""),
  });
}

function withdrawSheet(ctx, page, one) {
  const { t } = ctx;
  const purpose = t(`person.purpose.${one.purpose}`, {}, one.purpose);
  const on = field(t("person.withdrawn_on"), "withdrawn-on", { type: "date", max: page.today, value: page.today });
  signedSheet(ctx, {
    name: "withdraw-sheet", title: t("person.withdraw_title", { purpose, person: page.person.pseudonym }), verb: t("person.withdraw_now"), change: "WithdrawConsent",
    parts: [h("p", { class: "s", "data-name": "stops" }, t(`person.stops.${one.purpose}`, {}, t("person.stops.other"))), h("p", { class: "s sub" }, t("person.kept")), on],
    fields: () => ({ purposes: one.purpose, consented_on: on.value() }),
    lacking: () => (on.value() ? "" : t("person.needs_date")),
  });
}

function consentPanel(ctx) {
  const { t, model } = ctx;
  const { el, body } = panelOf(t("person.consents"));
  const record = button(t("person.record_consent"), () => consentSheet(ctx, model.get("page")), { name: "record-consent" });
  const list = h("ul", { class: "plain" });
  body.append(list, record);
  const row = (one) => {
    const granted = one.state === "granted";
    const purpose = t(`person.purpose.${one.purpose}`, {}, one.purpose);
    const lamp = granted ? (one.newer ? "medium" : "ok") : one.required ? "medium" : "off";
    const said = granted ? t("person.consent_of", { version: one.version, date: dayOf(t, one.on) }) : one.state === "withdrawn" ? t("person.withdrawn_of", { date: dayOf(t, one.on) }) : t("person.consent.missing");
    const who = granted && one.by ? t(one.given_by === "representative" ? "person.by_representative" : "person.recorded_by", { by: one.by }) : "";
    if (one.state === "missing" && !one.required) return h("li", { class: "one", "data-name": `consent-${one.purpose}` }, light(lamp, purpose, false), h("span", { class: "xs sub" }, said));
    const withdraw = granted && one.by ? h("button", { type: "button", class: "link xs", "data-name": `withdraw-${one.purpose}`, "aria-label": t("person.withdraw_of", { purpose }), onclick: () => withdrawSheet(ctx, model.get("page"), one) }, t("person.withdraw")) : null;
    return h("li", { "data-name": `consent-${one.purpose}` }, h("div", { class: "row between" }, light(lamp, purpose), withdraw), h("div", { class: "xs sub" }, [said, one.required && !granted ? t("person.required") : "", who, one.witness ? t("person.witnessed", { name: one.witness }) : ""].filter(Boolean).join(" · ")),
      one.newer ? h("div", { class: "xs" }, t("person.newer", { version: one.newer })) : null);
  };
  const draw = whenChanged((consents) => list.replaceChildren(...consents.map(row)));
  return { el, update: (page) => draw(page.consents) };
}

// ---------------------------------------------------------------------------------------------- queries, deviations
const aged = (t, days) => (days ? t("person.days", { n: days }) : t("person.today"));

function queryPanel(ctx) {
  const { t } = ctx;
  const { el, body } = panelOf(t("person.queries"));
  const row = (one) => queryRow(ctx, one, [one.where, one.automatic ? t("person.by_record") : one.by, aged(t, one.days)]);
  const draw = whenChanged((queries) => body.replaceChildren(queries.length ? h("ul", { class: "plain" }, queries.map(row)) : h("p", { class: "empty" }, t("person.no_queries"))));
  return { el, update: (page) => draw(page.queries) };
}

function deviationPanel(ctx) {
  const { t } = ctx;
  const { el, body } = panelOf(t("person.deviations"));
  const row = (one) => {
    const about = t.said(one, "text");
    const labels = { impact: t("person.impact"), correction: t("person.correction") };
    return h("li", {}, light("medium", t(`person.category.${one.category}`, {}, one.category)), h("div", { class: "s" }, about), h("div", { class: "xs sub" }, [one.automatic ? t("person.noticed") : one.by, dayOf(t, one.day), aged(t, one.days)].join(" · ")),
      h("div", { class: "row acts" }, h("button", { type: "button", class: "link xs", "data-name": `deviation-${one.id}`, "aria-label": `${t("person.close")}: ${about}`, onclick: () => textSheet(ctx, { name: "deviation-sheet", title: t("person.close_deviation"), verb: t("person.close_verb"), change: "CloseDeviation", about, id: { deviation_id: one.id }, labels }) }, t("person.close"))));
  };
  const draw = whenChanged((deviations) => {
    const open = deviations.filter((one) => one.state === "open");
    const closed = deviations.length - open.length;
    body.replaceChildren(...[open.length ? h("ul", { class: "plain" }, open.map(row)) : h("p", { class: "empty" }, t("person.no_deviations")), closed ? h("p", { class: "xs sub" }, t("person.closed", { n: closed })) : null].filter(Boolean));
  });
  return { el, update: (page) => draw(page.deviations) };
}

/** Adverse events and device deficiencies: reported and revised here; their clocks stand on the safety desk. */
function safetyPanel(ctx) {
  const { t } = ctx;
  const { el, body } = panelOf(t("person.safety"));
  const list = h("ul", { class: "plain" });
  const none = h("p", { class: "empty" }, t("person.no_safety"));
  body.append(none, list, button(t("safety.add_event"), () => eventSheet(ctx), { name: "add-event" }), button(t("safety.add_deficiency"), () => deficiencySheet(ctx), { name: "add-deficiency" }));
  const coded = (one) => (one.table !== "adverse_event" || one.state === "void" ? "" : one.coding.code ? t("safety.coded_as", one.coding) : t("safety.uncoded"));
  const kind = (one) => t(one.table === "device_deficiency" ? "person.deficiency" : one.facts.serious ? "person.serious_event" : "person.event");
  const row = (one) => h("li", {}, h("button", { type: "button", class: "link", "data-name": `revise-${one.id}`, "aria-label": t("safety.revise_title", { what: one.what }), onclick: () => reviseSheet(ctx, one.table, one.id) }, one.what),
    h("div", { class: "xs sub" }, [kind(one), one.onset, one.state === "open" ? "" : t(`safety.state.${one.state}`), coded(one)].filter(Boolean).join(" · ")),
    one.table === "adverse_event" && one.state !== "void" ? h("div", { class: "row acts" }, h("button", { type: "button", class: "link xs", "data-name": `code-${one.id}`, "aria-label": t("safety.code_title", { what: one.what }), onclick: () => codeSheet(ctx, one) }, t("safety.code"))) : null);
  const draw = whenChanged((found) => { list.replaceChildren(...found.map(row)); show(none, !found.length); });
  return { el, update: (page) => draw(page.safety) };
}

// ---------------------------------------------------------------------------------------------- the page
function buildParticipant(root, model, t, first) {
  const problem = h("div", { class: "fielderror", role: "alert", "data-name": "problem" });
  const ctx = { root, model, t, refocus: () => undefined, tell: (words) => put(problem, words) };
  const reading = h("span", { class: "xs sub", role: "status", "data-name": "read-at" });
  const waiting = h("p", { class: "empty", role: "status", "data-name": "waiting" });
  const [head, visits, outcomes] = [identityHead(ctx), visitList(ctx), outcomePanel(ctx)];
  const side = [stepsPanel(ctx, panelOf), consentPanel(ctx), safetyPanel(ctx), implantPanel(ctx, panelOf, historyValue), treatmentPanel(ctx, panelOf, historyValue), corePanel(ctx, panelOf, historyValue), queryPanel(ctx), deviationPanel(ctx)];
  const axis = sized((width) => timeline(t, model.get("page"), width));
  const parts = [head, visits, outcomes, ...side];
  const whole = h("div", { class: "stack whole" }, head.el, h("div", { class: "cols" },
    h("div", { class: "col" }, h("section", { class: "panel", "aria-label": t("person.axis") }, h("div", { class: "bd" }, axis.el)), h("div", { class: "split" }, visits.el, outcomes.el)),
    h("div", { class: "col side", role: "region", tabindex: 0, "aria-label": t("person.side") }, side.map((one) => one.el), reading)));
  root.append(h("section", { class: "personpage", "aria-label": t("person.page") }, waiting, problem, whole));
  const drawAxis = whenChanged(() => axis.redraw());
  // What had the focus may be gone once the record was read again: then the name is where the page begins.
  ctx.refocus = () => { if (!root.contains(document.activeElement)) head.name.focus(); };
  function draw() {
    const page = model.get("page") || {};
    const look = model.get("look") || {};
    const known = Boolean(page.person);
    show(whole, known);
    show(waiting, !known);
    put(waiting, look.fault ? t("person.unreadable", { why: t.said(look, "fault") }) : t("person.reading"));
    if (!known) return;
    parts.forEach((one) => one.update(page));
    drawAxis([page.today, page.visits, page.sessions, page.deviations, page.events, page.implants, page.safety]);
    put(reading, look.fault ? t("worklist.unreachable", { at: look.read_at || "—", why: t.said(look, "fault") }) : t("worklist.read_at", { at: look.read_at || "—" }));
    reading.classList.toggle("bad", Boolean(look.fault));
  }
  const timer = setInterval(() => { if (document.visibilityState === "visible" && root.checkVisibility()) request(model, "read"); }, READ_MS);
  model.on("change:page change:look", draw);
  draw();
  if (first) requestAnimationFrame(() => head.name.focus({ preventScroll: true }));
  return () => { clearInterval(timer); axis.stop(); outcomes.stop(); model.off("change:page change:look", draw); };
}

function render({ model, el }) {
  const root = h("div", { class: "wb wb-panel wb-page", "data-lm-suppress-shortcuts": "true" });
  el.append(root);
  // The name has the focus when the page opens, and not again when the language changes.
  let first = true;
  const build = (host, t) => { const stop = buildParticipant(host, model, t, first); first = false; return stop; };
  const stops = [followTheme(root, model), followLanguage(root, model, build)];
  return () => stops.forEach((stop) => stop());
}

export default { render };
