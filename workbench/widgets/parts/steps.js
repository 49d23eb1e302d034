// What leads a participant through the trial: enrolment, eligibility, days that visits count from, randomisation, visits,
// forms of the protocol, signatures and freezing. Each is one change of the record, in the name of who signs the dialog.
import { button, h, put, request, show, whenChanged } from "./dom.js";
import { light } from "./icons.js";
import { area, field, selection, signedSheet } from "./signed.js";
import { dayOf } from "./timeline.js";

const pageOf = (ctx) => ctx.model.get("page");
const lead = (words, name, act) => h("button", { type: "button", class: "link s", "data-name": name, onclick: act }, words);

function enrolSheet(ctx) {
  const { t } = ctx;
  const number = field(t("steps.screening_number"), "screening-number", { maxlength: 100 });
  const site = field(t("steps.site"), "site", { maxlength: 20 });
  signedSheet(ctx, {
    name: "enrol-sheet", title: t("steps.enrol_title", { person: pageOf(ctx).person.pseudonym }), verb: t("steps.enrol"), change: "Enrol", parts: [h("div", { class: "pair" }, number.el, site.el)],
    fields: () => ({ screening_number: number.value(), site: site.value() }), lacking: () => (number.value() ? "" : t("steps.needs_number")),
  });
}

function criterionSheet(ctx, one) {
  const { t } = ctx;
  const answer = selection(t("steps.answer"), "answer", [["yes", t("person.yes")], ["no", t("person.no")], ["unknown", t("steps.unknown")]]);
  const evidence = field(t("steps.evidence"), "evidence", { maxlength: 1000 });
  signedSheet(ctx, {
    name: "criterion-sheet", title: t("steps.criterion_title", { id: one.id }), verb: t("steps.answer_now"), change: "AnswerCriterion",
    parts: [h("p", { class: "s" }, one.text), h("div", { class: "pair" }, answer.el, evidence.el)],
    fields: () => ({ criterion: one.id, answer: answer.value(), evidence: evidence.value() }), lacking: () => (evidence.value() ? "" : t("steps.needs_evidence")),
  });
}

function reasonedSheet(ctx, { name, title, verb, change, fields, parts = [] }) {
  const { t } = ctx;
  const why = area(t("steps.why"), "why");
  signedSheet(ctx, { name, title, verb, change, parts: [...parts, why], fields, reason: () => why.value(), lacking: () => (why.value() ? "" : t("safety.needs_reason")) });
}

function anchorSheet(ctx, anchors) {
  const { t } = ctx;
  const anchor = selection(t("steps.anchor"), "anchor", anchors.map((one) => [one.name, `${t(`person.anchor.${one.name}`, {}, one.name)}${one.day ? ` (${one.day})` : ""}`]));
  const day = field(t("steps.day"), "anchor-day", { type: "date", max: pageOf(ctx).today, value: pageOf(ctx).today });
  const why = area(t("steps.why_corrected"), "why");
  const before = () => anchors.find((one) => one.name === anchor.value()).day;
  signedSheet(ctx, {
    name: "anchor-sheet", title: t("steps.anchor_title"), verb: t("steps.set_day"), change: "SetAnchor", parts: [h("div", { class: "pair" }, anchor.el, day.el), why],
    fields: () => ({ anchor: anchor.value(), day: day.value() }), reason: () => why.value(),
    lacking: () => (!day.value() ? t("person.needs_date") : before() && !why.value() ? t("safety.needs_reason") : ""),
  });
}

/** The next slot, unseen: the answer says that there is one, and never which arm. */
function randomiseSheet(ctx, strata) {
  const { t } = ctx;
  const factors = Object.entries(strata).map(([name, levels]) => [name, selection(name, `stratum-${name}`, levels.map((one) => [one, one]))]);
  signedSheet(ctx, {
    name: "randomise-sheet", title: t("steps.randomise_title", { person: pageOf(ctx).person.pseudonym }), verb: t("steps.randomise_now"), change: "Randomise",
    parts: [h("p", { class: "s" }, t("steps.randomise_means")), ...factors.map(([, one]) => one)],
    fields: () => ({ covariates: JSON.stringify(Object.fromEntries(factors.map(([name, one]) => [name, one.value()]))) }),
  });
}

/** One panel: what comes next stands first. */
export function stepsPanel(ctx, panelOf) {
  const { t } = ctx;
  const { el, body } = panelOf(t("steps.title"));
  const draw = whenChanged(([steps, enrolment, person]) => {
    const status = enrolment.status || "";
    const open = (steps.criteria || []).filter((one) => one.answer !== (one.kind === "inclusion" ? "yes" : "no"));
    const acts = [];
    if (!status) acts.push(button(t("steps.enrol"), () => enrolSheet(ctx), { name: "enrol" }));
    if (status === "screening") acts.push(h("ul", { class: "plain" }, open.map((one) => h("li", {}, light(one.answer ? "medium" : "off", t(`steps.${one.kind}`, { id: one.id }), false), h("div", { class: "s" }, one.text), lead(t("steps.answer_now"), `criterion-${one.id}`, () => criterionSheet(ctx, one))))),
      button(t("steps.enter_study"), () => reasonedSheet(ctx, { name: "status-sheet", title: t("steps.enter_title", { person: person.pseudonym }), verb: t("steps.enter_study"), change: "SetStatus", fields: () => ({ status: "enrolled" }) }), { name: "enter-study" }));
    if (status === "enrolled" && steps.may_randomise && !steps.randomised) acts.push(button(t("steps.randomise"), () => randomiseSheet(ctx, steps.strata), { name: "randomise" }));
    if (steps.randomised) acts.push(h("div", {}, light("ok", t("steps.randomised"), false)));
    const days = (steps.anchors || []).filter((one) => one.day);
    if (status) acts.push(days.length ? h("dl", { class: "kv" }, days.flatMap((one) => [h("dt", {}, t(`person.anchor.${one.name}`, {}, one.name)), h("dd", {}, dayOf(t, one.day))])) : null,
      h("div", { class: "row wrap acts" }, lead(t("steps.set_day"), "set-day", () => anchorSheet(ctx, steps.anchors)), lead(t("steps.freeze"), "freeze", () => reasonedSheet(ctx, { name: "freeze-sheet", title: t("steps.freeze_title", { person: person.pseudonym }), verb: t("steps.freeze"), change: "Freeze", fields: () => ({ table: "participant", row_id: person.id }), parts: [h("p", { class: "s" }, t("steps.freeze_means"))] }))));
    body.replaceChildren(h("div", { class: "stack" }, acts.filter(Boolean)));
  });
  return { el, update: (page) => draw([page.steps || {}, page.enrolment || {}, page.person]) };
}

// ---------------------------------------------------------------------------------------------- visits and forms
export function heldSheet(ctx, visit) {
  const { t } = ctx;
  const on = field(t("steps.held_on"), "held-on", { type: "date", max: pageOf(ctx).today, value: pageOf(ctx).today });
  signedSheet(ctx, { name: "held-sheet", title: t("steps.held_title", { visit: visit.name }), verb: t("steps.held"), change: "HoldVisit", parts: [on], fields: () => ({ visit_id: visit.id, on: on.value() }), lacking: () => (on.value() ? "" : t("person.needs_date")) });
}

const NUMBERED = ["integer", "number"];

const MISSING = ["not_asked", "not_done", "unknown", "refused", "not_applicable"];

/** What a value of the record is as the text of its field. */
function asText(item, value) {
  const bare = value && typeof value === "object" ? value.value : value;
  if (bare === undefined || bare === null) return "";
  return item.kind === "yes_no" ? (bare ? "yes" : "no") : String(bare);
}

/** The field of an item without the reason why it is empty; `value()` is undefined where nothing was entered. */
function bareField(t, item, before) {
  const label = [item.label, item.unit ? `(${item.unit})` : "", item.required ? "" : t("steps.optional")].filter(Boolean).join(" ");
  const name = `item-${item.name}`;
  if (item.kind === "yes_no" || item.kind === "choice") {
    const options = item.kind === "choice" ? item.choices.map((one) => [one, one]) : [["yes", t("person.yes")], ["no", t("person.no")]];
    const made = selection(label, name, [["", "—"], ...options], before);
    const value = () => (item.kind === "choice" ? made.value() : made.value() === "yes");
    return { ...made, value: () => (made.value() ? value() : undefined) };
  }
  const made = field(label, name, { value: before, ...(item.kind === "date" ? { type: "date" } : NUMBERED.includes(item.kind) ? { inputmode: "decimal" } : { maxlength: 4000 }) });
  // What is no number is sent as it is: the record says what is wrong with it.
  const number = () => (Number.isFinite(Number(made.value())) ? Number(made.value()) : made.value());
  return { ...made, value: () => (!made.value() ? undefined : NUMBERED.includes(item.kind) ? number() : made.value()) };
}

/** One item of a form, with what stands in it, or why nothing does: a value that was never asked for is no zero. */
export function itemField(t, item, before = undefined) {
  const code = before && typeof before === "object" && before.missing ? before.missing : "";
  const start = asText(item, before);
  const made = bareField(t, item, start);
  const none = selection(t("forms.none_because"), `missing-${item.name}`, [["", "—"], ...MISSING.map((one) => [one, t(`person.code.${one}`)])], code);
  none.input.setAttribute("aria-label", t("forms.none_of", { label: item.label }));
  made.input.addEventListener("input", () => { if (made.value() !== undefined) none.input.value = ""; });
  none.input.addEventListener("input", () => { if (none.value()) made.input.value = ""; });
  const changed = () => none.value() !== code || made.input.value.trim() !== start;
  // What was not touched stays exactly as it is in the record.
  const value = () => (!changed() ? before : none.value() ? { missing: none.value() } : made.value());
  return { el: h("div", { class: "itemline" }, made.el, none.el), item, value, changed };
}

/** A form of the protocol, filled in for the first time, or a second time by the second of two people. */
export function fillSheet(ctx, form, visit) {
  const { t } = ctx;
  const { items, twice } = pageOf(ctx).steps.forms[form.name];
  const fields = items.map((item) => itemField(t, item));
  const entry = twice && form.rows.length ? 2 : 1;
  const values = () => Object.fromEntries(fields.map((one) => [one.item.name, one.value()]).filter(([, value]) => value !== undefined));
  signedSheet(ctx, {
    name: "fill-sheet", title: `${form.title} · ${visit.name}`, verb: t("steps.save_form"), change: "SaveForm", parts: fields,
    fields: () => ({ visit_id: visit.id, form: form.name, values: JSON.stringify(values()), entry: String(entry) }),
    lacking: () => (fields.some((one) => one.item.required && one.value() === undefined) ? t("steps.needs_items") : ""),
  });
}

/** Whether a form is filled in here: it has items of its own, and nothing stands in it yet, or one entry of two. */
export function canFill(page, form, visit) {
  const known = ((page.steps || {}).forms || {})[form.name];
  return Boolean(known && visit.id && form.rows.length < (known.twice ? 2 : 1));
}

/** A question about one value of a row. */
export function askSheet(ctx, row, label) {
  const { t } = ctx;
  const text = area(t("steps.question"), "question");
  signedSheet(ctx, {
    name: "ask-sheet", title: t("steps.ask_title", { label }), verb: t("steps.ask"), change: "OpenQuery", parts: [text],
    fields: () => ({ table: row.table, row_id: row.id, field: row.table === "form" ? "values" : "items", text: text.value() }), lacking: () => (text.value() ? "" : t("person.needs_words")),
  });
}

/** Signs rows as they are shown: the hash that is signed stands on the way to it. */
export function signLine(ctx, rows) {
  const { t } = ctx;
  const targets = rows.map((row) => `${row.table}:${row.id}`).join(",");
  const say = h("div", { class: "fielderror", role: "alert" });
  const open = button(t("steps.sign"), () => undefined, { name: "sign-rows" });
  open.disabled = true;
  request(ctx.model, "bound", { targets }, 20).then((reply) => {
    if (!reply.ok) { put(say, reply.silent ? t("person.silent") : t.said(reply, "text")); return; }
    const short = `${reply.value.slice(0, 4)} ${reply.value.slice(4, 8)}`;
    put(open, t("steps.sign_hash", { hash: short }));
    open.disabled = false;
    open.onclick = () => { open.closest("dialog").dispatchEvent(new Event("cancel", { cancelable: true })); signSheet(ctx, targets, reply.value, short); };
  });
  show(open, rows.length > 0);
  return h("div", { class: "row wrap end" }, say, open);
}

function signSheet(ctx, targets, digest, short) {
  const { t } = ctx;
  const meaning = field(t("steps.meaning"), "meaning", { value: t("steps.reviewed"), maxlength: 300 });
  signedSheet(ctx, {
    name: "sign-sheet", title: t("steps.sign_title", { hash: short }), verb: t("steps.sign_hash", { hash: short }), change: "Sign", parts: [meaning],
    fields: () => ({ targets, meaning: meaning.value(), shown_sha256: digest }), lacking: () => (meaning.value() ? "" : t("person.needs_words")),
  });
}
