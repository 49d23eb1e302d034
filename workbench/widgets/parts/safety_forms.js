// Dialogs for adverse events and device deficiencies, on the safety desk and on the page of a participant. Who became
// aware, and when, is asked each time: every clock counts from there, and no revision restarts one.
import { h, put, request, show } from "./dom.js";
import { area, field, selection, signedSheet } from "./signed.js";

const CRITERIA = ["death", "life_threatening", "hospitalisation", "disability", "congenital_anomaly", "medically_important"];
const RELATIONS = ["not_related", "possible", "probable", "causal"];
const RELATED = ["device", "procedure", "stimulation"];
const URGENT = ["imminent_risk", "public_health_threat", "marketed"];
const OUTCOMES = ["unknown", "ongoing", "recovering", "recovered", "recovered_with_sequelae", "fatal"];

/** The time zone of this computer, in which all moments are typed. */
export const zoneHere = () => Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

/** A moment of this computer as a date-time field holds it. */
function typedMoment(date) {
  const two = (n) => String(n).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** A field for a moment, in the time zone of this computer; `utc()` is "" where it is empty. */
export function momentField(label, name, value = "") {
  const made = field(label, name, { type: "datetime-local", value });
  return { ...made, utc: () => (made.value() ? new Date(made.value()).toISOString() : "") };
}

const ticked = (label, name, checked) => {
  const box = h("input", { type: "checkbox", class: "tick", "data-name": name, checked: Boolean(checked) });
  return { box, el: h("label", { class: "purpose" }, box, h("span", { class: "s" }, label)) };
};
const group = (legend, ...inside) => h("fieldset", { class: "purposes" }, h("legend", { class: "xs sub" }, legend), ...inside);
const pair = (...parts) => h("div", { class: "pair" }, parts.map((one) => one.el || one));

/** When somebody became aware, who, and in which country: what starts the clocks. */
function awarenessFields(t, country) {
  const at = momentField(t("safety.aware_at", { zone: zoneHere() }), "aware-at", typedMoment(new Date()));
  const by = field(t("safety.aware_by"), "aware-by");
  const land = field(t("safety.country"), "country", { value: country, maxlength: 2 });
  return {
    el: group(t("safety.awareness"), h("p", { class: "xs sub" }, t("safety.awareness.why")), pair(at, by), land.el),
    fields: () => ({ aware: at.utc(), zone: zoneHere(), person: by.value(), country: land.value().toUpperCase() }),
    lacking: () => (!at.value() ? t("safety.needs_aware") : !land.value() ? t("safety.needs_country") : ""),
  };
}

/** Whether facts ask for less than those before: what was due stays due. */
function isDowngrade(before, now) {
  if (!before) return false;
  if (before.could_have_led_to_sae !== undefined) return before.could_have_led_to_sae !== false && now.could_have_led_to_sae === false;
  const less = before.criteria.some((one) => !now.criteria.includes(one));
  return less || RELATED.some((one) => before[one] !== "not_related" && now[one] === "not_related") || (before.expected !== true && now.expected === true);
}

const OPEN_ANSWER = { yes: true, no: false, open: null };
const answerOf = (value) => (value === true ? "yes" : value === false ? "no" : "open");

function urgencyFields(t, facts) {
  const boxes = URGENT.map((name) => [name, ticked(t(`safety.${name}`), name, facts[name])]);
  return { el: group(t("safety.urgency"), boxes.map(([, one]) => one.el)), facts: () => Object.fromEntries(boxes.map(([name, one]) => [name, one.box.checked])) };
}

/** What is known of an adverse event. Seriousness is a criterion that is met, whatever the severity. */
function eventFacts(t, before) {
  const facts = before || {};
  const severity = selection(t("safety.severity"), "severity", ["mild", "moderate", "severe"].map((one) => [one, t(`safety.severity.${one}`)]), facts.severity || "mild");
  const criteria = CRITERIA.map((name) => [name, ticked(t(`safety.criterion.${name}`), name, (facts.criteria || []).includes(name))]);
  const relation = (name) => selection(t(`safety.related.${name}`), `related-${name}`, RELATIONS.map((one) => [one, t(`safety.relation.${one}`)]), facts[name] || "not_related");
  const related = RELATED.map((name) => [name, relation(name)]);
  const expected = selection(t("safety.expected"), "expected", ["open", "yes", "no"].map((one) => [one, t(`safety.expected.${one}`)]), answerOf(facts.expected));
  const urgency = urgencyFields(t, facts);
  return {
    parts: [group(t("safety.serious_if"), criteria.map(([, one]) => one.el)), pair(severity, expected), h("div", { class: "three" }, related.map(([, one]) => one.el)), urgency.el],
    facts: () => {
      const met = criteria.filter(([, one]) => one.box.checked).map(([name]) => name);
      return { serious: met.length > 0, criteria: met, severity: severity.value(), expected: OPEN_ANSWER[expected.value()], ...Object.fromEntries(related.map(([name, one]) => [name, one.value()])), ...urgency.facts() };
    },
  };
}

/** What is known of a deficiency: the one question that decides whether it is reported. */
function deficiencyFacts(t, before) {
  const facts = before || {};
  const harm = ["yes", "no", "open"].map((one) => {
    const box = h("input", { type: "radio", class: "tick", name: "could-have-led", value: one, "data-name": `harm-${one}`, checked: answerOf(facts.could_have_led_to_sae) === one });
    return { box, el: h("label", { class: "purpose" }, box, h("span", { class: "s" }, t(`safety.harm.${one}`))) };
  });
  const urgency = urgencyFields(t, facts);
  return {
    parts: [group(t("safety.harm"), harm.map((one) => one.el)), urgency.el],
    facts: () => ({ could_have_led_to_sae: OPEN_ANSWER[harm.find((one) => one.box.checked).box.value], ...urgency.facts() }),
  };
}

/** Whom it is about: chosen where the page is about nobody, given where it is the page of somebody. */
function whomField(ctx, { required }) {
  const { t } = ctx;
  const page = ctx.model.get("page");
  if (page.person) return { el: null, fields: () => ({}), lacking: () => "" };
  const list = h("datalist", { id: "safety-people" }, page.participants.map((one) => h("option", { value: one })));
  const one = field(t(required ? "safety.participant" : "safety.participant_or_none"), "participant", { list: "safety-people" });
  return {
    el: h("div", {}, one.el, list),
    fields: () => (one.value() ? { participant_id: one.value() } : {}),
    lacking: () => (required && !one.value() ? t("safety.needs_participant") : ""),
  };
}

/** What a revision adds: the reason, whether it was entered in error, and what a downgrade does not do. */
function revisionFields(t, row, now) {
  const reason = area(t("safety.why_revised"), "reason");
  const state = selection(t("safety.state"), "state", ["open", "closed", "void"].map((one) => [one, t(`safety.state.${one}`)]), row.state);
  const note = h("p", { class: "s", role: "status", "data-name": "keeps-clock" });
  const look = () => {
    const less = isDowngrade(row.facts, now()) || (state.value() === "void" && row.state !== "void");
    put(note, less ? t("safety.keeps_clock") : "");
    show(note, less);
  };
  look();
  return { state, reason, note, look, fields: () => ({ state: state.value(), row_version: String(row.row_version) }), lacking: () => (reason.value() ? "" : t("safety.needs_reason")) };
}

function statementSheet(ctx, { name, title, verb, change, parts, facts, fields, lacking, row }) {
  const { t } = ctx;
  const page = ctx.model.get("page");
  const aware = awarenessFields(t, row ? row.country : page.country);
  const revised = row ? revisionFields(t, row, facts) : null;
  const body = h("div", { class: "stack statement" }, parts.filter(Boolean), aware.el, revised ? [pair(revised.state), revised.reason.el, revised.note] : null);
  if (revised) for (const kind of ["input", "change"]) body.addEventListener(kind, revised.look);
  signedSheet(ctx, {
    name, title, verb, change, parts: [body], reason: revised ? () => revised.reason.value() : null,
    fields: () => ({ ...fields(), facts: JSON.stringify(facts()), ...aware.fields(), ...(revised ? revised.fields() : {}) }),
    lacking: () => lacking() || aware.lacking() || (revised ? revised.lacking() : ""),
  });
}

/** An adverse event becomes known, or, with its `row`, something new of it. */
export function eventSheet(ctx, row = null) {
  const { t } = ctx;
  const known = eventFacts(t, row ? row.facts : null);
  const whom = row ? { el: null, fields: () => ({ event_id: row.id }), lacking: () => "" } : whomField(ctx, { required: true });
  const of = row || { term: "", onset: "", outcome: "unknown", action: "", narrative: "" };
  const term = field(t("safety.term"), "term", { value: of.term, maxlength: 500 });
  const onset = field(t("safety.onset"), "onset", { value: of.onset, placeholder: "2026-03-01" });
  const outcome = selection(t("safety.outcome"), "outcome", OUTCOMES.map((one) => [one, t(`safety.outcome.${one}`)]), of.outcome);
  const [action, narrative] = [area(t("safety.action"), "action", of.action), area(t("safety.narrative"), "narrative", of.narrative)];
  statementSheet(ctx, {
    name: "event-sheet", title: row ? t("safety.revise_title", { what: `${row.participant} ${row.term}` }) : t("safety.add_event"), verb: t(row ? "safety.revise" : "safety.add_event"),
    change: row ? "ReviseEvent" : "ReportEvent", row, facts: known.facts,
    parts: [whom.el, pair(term, onset), ...known.parts, pair(outcome, action), narrative.el],
    fields: () => ({ ...whom.fields(), term: term.value(), onset: onset.value(), outcome: outcome.value(), action: action.value(), narrative: narrative.value() }),
    lacking: () => whom.lacking() || (term.value() ? "" : t("safety.needs_term")),
  });
}

/** A device deficiency becomes known, or, with its `row`, something new of it. */
export function deficiencySheet(ctx, row = null) {
  const { t } = ctx;
  const known = deficiencyFacts(t, row ? row.facts : null);
  const whom = row ? { el: null, fields: () => ({ deficiency_id: row.id }), lacking: () => "" } : whomField(ctx, { required: false });
  const of = row || { device: "", serial: "", text: "", onset: "" };
  const device = field(t("safety.device"), "device", { value: of.device, maxlength: 500 });
  const serial = field(t("safety.serial"), "serial", { value: of.serial, maxlength: 500 });
  const onset = field(t("safety.onset"), "onset", { value: of.onset, placeholder: "2026-03-01" });
  const text = area(t("safety.what_is_wrong"), "what-is-wrong", of.text);
  statementSheet(ctx, {
    name: "deficiency-sheet", title: row ? t("safety.revise_title", { what: `${row.participant} ${row.device}`.trim() }) : t("safety.add_deficiency"), verb: t(row ? "safety.revise" : "safety.add_deficiency"),
    change: row ? "ReviseDeficiency" : "ReportDeficiency", row, facts: known.facts,
    parts: [pair(device, serial), whom.el, text.el, onset.el, ...known.parts],
    fields: () => ({ ...whom.fields(), device: device.value(), serial: serial.value(), text: text.value(), onset: onset.value() }),
    lacking: () => whom.lacking() || (!device.value() ? t("safety.needs_device") : !text.value() ? t("safety.needs_text") : ""),
  });
}

/** The code of an adverse event in a dictionary. The dictionary itself is the site's: its licence is not ours. */
export function codeSheet(ctx, one) {
  const { t } = ctx;
  const before = one.coding || {};
  const texts = [["dictionary", "safety.dictionary"], ["version", "safety.dictionary_version"], ["code", "safety.code_of"], ["term", "safety.code_term"]].map(([name, key]) => [name, field(t(key), `coding-${name}`, { value: before[name] || (name === "dictionary" ? "MedDRA" : ""), maxlength: 500 })]);
  const why = area(t("safety.why_recoded"), "why");
  const [dictionary, version, code, term] = texts.map(([, made]) => made);
  signedSheet(ctx, {
    name: "code-sheet", title: t("safety.code_title", { what: one.what }), verb: t("safety.code_now"), change: "CodeEvent", parts: [pair(dictionary, version), pair(code, term), ...(before.code ? [why] : [])],
    fields: () => ({ event_id: one.id, row_version: String(one.row_version), ...Object.fromEntries(texts.map(([name, made]) => [name, made.value()])) }), reason: () => (before.code ? why.value() : ""),
    lacking: () => (texts.some(([, made]) => !made.value()) ? t("safety.needs_code") : before.code && !why.value() ? t("safety.needs_reason") : ""),
  });
}

const REVISED = { adverse_event: eventSheet, device_deficiency: deficiencySheet };

/** Opens the form of a row, read again: a table of the page holds only its start. */
export function reviseSheet(ctx, table, id) {
  return request(ctx.model, "row", { table, row: id }, 20).then((reply) => {
    if (reply.ok) REVISED[table](ctx, reply.value);
    else ctx.tell(reply.silent ? ctx.t("safety.silent") : ctx.t.said(reply, "text"));
  });
}

/** "Possible · device": the strongest relation, and to what. */
export function relationWords(t, facts) {
  const strongest = RELATED.map((name) => RELATIONS.indexOf(facts[name])).reduce((a, b) => Math.max(a, b), 0);
  if (!strongest) return t("safety.relation.not_related");
  const to = RELATED.filter((name) => facts[name] === RELATIONS[strongest]).map((name) => t(`safety.to.${name}`));
  return t("safety.relation_to", { relation: t(`safety.relation.${RELATIONS[strongest]}`), to: to.join(t("person.and")) });
}
