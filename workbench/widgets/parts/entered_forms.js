// What is done with a form that was entered: corrected with a reason, decided by a third person where two entries differ,
// and, beside each entry, who signed it as it is, whose signature is stale, and what is asked about it.
import { button, h, put, request, show } from "./dom.js";
import { light } from "./icons.js";
import { when } from "./entry.js";
import { area, selection, signedSheet } from "./signed.js";
import { itemField } from "./steps.js";

/** A value of a form in words. */
export function shownValue(t, value) {
  if (value && value.missing) return t(`person.code.${value.missing}`, {}, value.missing);
  if (value === null || value === undefined) return "—";
  if (typeof value === "boolean") return t(value ? "person.yes" : "person.no");
  return typeof value === "object" ? String(value.value ?? JSON.stringify(value)) : String(value);
}

/** A form of the protocol with items of its own; undefined for a measure, which has a page. */
const ownForm = (ctx, form) => ((ctx.model.get("page").steps || {}).forms || {})[form.name];

/** Reads rows whole and hands them on; what is refused is told on the page. */
function withRows(ctx, rows, act) {
  return Promise.all(rows.map((row) => request(ctx.model, "row", { table: row.table, row: row.id }, 20))).then((replies) => {
    const failed = replies.find((reply) => !reply.ok);
    if (failed) ctx.tell(failed.silent ? ctx.t("person.silent") : ctx.t.said(failed, "text"));
    else act(replies.map((reply) => reply.value));
  });
}

function correctSheet(ctx, form, visit, row) {
  const { t } = ctx;
  const fields = ownForm(ctx, form).items.map((item) => itemField(t, item, row.values[item.name]));
  const why = area(t("forms.why"), "why");
  const draft = row.state === "draft";
  const values = () => Object.fromEntries(Object.entries({ ...row.values, ...Object.fromEntries(fields.map((one) => [one.item.name, one.value()])) }).filter(([, value]) => value !== undefined));
  signedSheet(ctx, {
    name: "correct-sheet", title: t("forms.correct_title", { form: form.title, visit: visit.name }), verb: t(draft ? "steps.save_form" : "forms.correct_now"), change: "SaveForm",
    parts: [...fields, h("p", { class: "xs sub" }, t(draft ? "forms.draft" : "forms.history_kept")), ...(draft ? [] : [why])], reason: () => (draft ? "" : why.value()),
    fields: () => ({ visit_id: visit.id, form: form.name, values: JSON.stringify(values()), entry: String(row.entry), instance: String(row.instance), row_version: String(row.row_version) }),
    lacking: () => (!draft && !fields.some((one) => one.changed()) ? t("forms.nothing_changed") : fields.some((one) => one.item.required && one.value() === undefined) ? t("steps.needs_items") : !draft && !why.value() ? t("safety.needs_reason") : ""),
  });
}

/** Leads to the correction of one entry of a form; null where nothing is corrected here. */
export function correctLink(ctx, form, visit, row, close, label) {
  const { t } = ctx;
  if (row.table !== "form" || row.about.entry === 0 || !ownForm(ctx, form)) return null;
  const open = () => { close(); withRows(ctx, [row], ([whole]) => correctSheet(ctx, form, visit, whole)); };
  return h("button", { type: "button", class: "link xs", "data-name": `correct-${row.about.entry}`, "aria-label": t("forms.correct_of", { label }), onclick: open }, t("forms.correct"));
}

// ---------------------------------------------------------------------------------------------- two entries
const sameValue = (one, other) => JSON.stringify(one ?? null) === JSON.stringify(other ?? null);

/** One item on which the entries differ: both values side by side, and what holds. */
function decidedItem(t, item, first, second) {
  const label = t("forms.holds");
  const pick = selection(label, `holds-${item.name}`, [["", "—"], ["first", t("forms.take_first")], ["second", t("forms.take_second")], ["other", t("forms.other_value")]]);
  pick.input.setAttribute("aria-label", `${item.label}: ${label}`);
  const other = itemField(t, item);
  const look = () => show(other.el, pick.value() === "other");
  pick.input.addEventListener("input", look);
  look();
  const unit = (value) => [shownValue(t, value), value !== undefined && value !== null && !value.missing ? item.unit : ""].filter(Boolean).join(" ");
  const value = () => ({ first: first ?? null, second: second ?? null, other: other.value() })[pick.value()];
  return { item, value, el: h("tr", {}, h("th", { scope: "row" }, item.label), h("td", {}, unit(first)), h("td", {}, unit(second)), h("td", {}, pick.input, other.el)) };
}

function decideSheet(ctx, form, visit, [first, second, agreed]) {
  const { t } = ctx;
  const rows = ownForm(ctx, form).items.filter((item) => !sameValue(first.values[item.name], second.values[item.name])).map((item) => decidedItem(t, item, first.values[item.name], second.values[item.name]));
  const why = area(t("steps.why"), "why");
  const heads = [t("forms.item"), t("forms.first", { by: first.by }), t("forms.second", { by: second.by }), t("forms.holds")];
  const table = h("div", { class: "scrolls", tabindex: 0, role: "region", "aria-label": t("forms.decide_title", { form: form.title, visit: visit.name }) },
    h("table", { class: "grid sidebyside" }, h("thead", {}, h("tr", {}, heads.map((words) => h("th", { scope: "col" }, words)))), h("tbody", {}, rows.map((one) => one.el))));
  signedSheet(ctx, {
    name: "decide-sheet", title: t("forms.decide_title", { form: form.title, visit: visit.name }), verb: t("forms.decide_now"), change: "Adjudicate",
    parts: [h("p", { class: "s" }, t("forms.decide_means", { first: first.by, second: second.by })), rows.length ? table : h("p", { class: "s" }, t("forms.no_difference")), ...(agreed ? [why] : [])],
    reason: () => (agreed ? why.value() : ""),
    fields: () => ({ visit_id: visit.id, form: form.name, instance: String(first.instance), values: JSON.stringify(Object.fromEntries(rows.map((one) => [one.item.name, one.value()]))) }),
    lacking: () => (!rows.length ? t("forms.no_difference") : rows.some((one) => one.value() === undefined) ? t("forms.needs_decision") : agreed && !why.value() ? t("safety.needs_reason") : ""),
  });
}

/** Leads to the decision on each pair of entries that a third person decides; [] where there is none. */
export function decideLinks(ctx, form, visit, close) {
  const { t } = ctx;
  const known = ownForm(ctx, form);
  if (!known || !known.twice) return [];
  const entered = form.rows.filter((row) => row.table === "form");
  const instances = [...new Set(entered.map((row) => row.about.instance))];
  return instances.map((instance) => {
    const at = (entry) => entered.find((row) => row.about.instance === instance && row.about.entry === entry);
    const both = [at(1), at(2)];
    if (!both.every((row) => row && row.about.state === "complete") || (form.state !== "differ" && !at(0))) return null;
    const open = () => { close(); withRows(ctx, [...both, at(0)].filter(Boolean), (whole) => decideSheet(ctx, form, visit, whole)); };
    return button(t(at(0) ? "forms.decide_again" : "forms.decide"), open, { name: `decide-${instance}` });
  }).filter(Boolean);
}

// ---------------------------------------------------------------------------------------------- beside an entry
const keyOf = (row) => `${row.table}:${row.id}`;

/** Whether somebody signed one of the rows of a form and it has changed since, and nobody signed it again. */
export function isStale(page, form) {
  const on = (row, state) => (page.signatures || []).some((one) => one.state === state && one.rows.includes(keyOf(row)));
  return form.rows.some((row) => on(row, "stale") && !on(row, "valid"));
}

/** Who signed an entry, and whether it is still what they signed. */
export function signatureLines(ctx, row) {
  const { t, model } = ctx;
  const found = (model.get("page").signatures || []).filter((one) => one.rows.includes(keyOf(row)));
  const words = (one) => t(one.state === "valid" ? "forms.signed_by" : "forms.stale_since", { name: one.signer, at: when(t, one.utc), meaning: one.meaning });
  return found.length ? h("ul", { class: "plain signed" }, found.map((one) => h("li", { "data-name": `signature-${one.state}` }, light(one.state === "valid" ? "ok" : "medium", words(one), false)))) : null;
}

/** A dialog of one or more texts that make one change. */
export function textSheet(ctx, { name, title, verb, change, about, id, labels }) {
  const { t } = ctx;
  const texts = Object.entries(labels).map(([key, label]) => [key, area(label, `sheet-${key}`)]);
  signedSheet(ctx, {
    name, title, verb, change, parts: [h("p", { class: "s" }, about), ...texts.map(([, one]) => one)],
    fields: () => ({ ...id, ...Object.fromEntries(texts.map(([key, one]) => [key, one.value()])) }),
    lacking: () => (texts.every(([, one]) => one.value()) ? "" : t("person.needs_words")),
  });
}

/** A query with its newest answer, and what leads to an answer or to its end; `before` closes what it stands in. */
export function queryRow(ctx, one, facts, { before = () => undefined, at = "" } = {}) {
  const { t } = ctx;
  const about = t.said(one, "text");
  const open = (name, change) => { before(); textSheet(ctx, { name: `${name}-sheet`, title: t(`person.${name}_query`), verb: t(`person.${name}_verb`), change, about, id: { query_id: one.id }, labels: { text: t(`person.${name}_label`) } }); };
  const act = (name, change) => h("button", { type: "button", class: "link xs", "data-name": `${name}-${one.id}${at}`, "aria-label": `${t(`person.${name}`)}: ${about}`, onclick: () => open(name, change) }, t(`person.${name}`));
  return h("li", {}, h("div", { class: "s" }, about), h("div", { class: "xs sub" }, facts.filter(Boolean).join(" · ")),
    one.answer.text ? h("div", { class: "xs answer" }, `${one.answer.by}: ${one.answer.text}`) : null, h("div", { class: "row acts" }, act("answer", "AnswerQuery"), act("close", "CloseQuery")));
}

/** The open queries about one entry, answered where its values stand. */
export function queriesBeside(ctx, row, close) {
  const { t, model } = ctx;
  const found = model.get("page").queries.filter((one) => one.table_name === row.table && one.row_id === row.id);
  return found.length ? h("ul", { class: "plain asked" }, found.map((one) => queryRow(ctx, one, [one.field, one.automatic ? t("person.by_record") : one.by], { before: close, at: "-here" }))) : null;
}

// ---------------------------------------------------------------------------------------------- what is locked
/** Why nothing is changed: the study is locked, or the participant or a visit is frozen. */
export function lockLines(ctx) {
  const { t } = ctx;
  const el = h("div", { class: "stack", role: "status", "data-name": "locks" });
  const unfreeze = (one, what) => {
    const why = area(t("steps.why"), "why");
    signedSheet(ctx, { name: "unfreeze-sheet", title: t("forms.unfreeze_title", { what }), verb: t("forms.unfreeze_now"), change: "Unfreeze", parts: [why], fields: () => ({ table: one.table, row_id: one.row }), reason: () => why.value(), lacking: () => (why.value() ? "" : t("safety.needs_reason")) });
  };
  const line = (one) => {
    const person = ctx.model.get("page").person.pseudonym;
    const words = t(`forms.locked.${one.table}`, { by: one.by, at: when(t, one.utc), why: one.reason, person, visit: one.name });
    const undo = one.level === "freeze" ? h("button", { type: "button", class: "link s", "data-name": `unfreeze-${one.table}`, onclick: () => unfreeze(one, one.name || person) }, t("forms.unfreeze")) : null;
    return h("div", { class: "msg medium locked" }, h("span", {}, words), undo);
  };
  return { el, update: (page) => { el.replaceChildren(...(page.locks || []).map(line)); show(el, (page.locks || []).length > 0); } };
}
