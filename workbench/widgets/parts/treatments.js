// What a participant receives beside the study: drugs and procedures, rehabilitation with its dose, assistive devices; and
// the core data set, which is a form of the protocol. Entered, revised, ended and taken back with the history kept.
import { button, h, put, request, show, whenChanged } from "./dom.js";
import { shownValue } from "./entered_forms.js";
import { area, field, selection, signedSheet } from "./signed.js";
import { dayOf } from "./timeline.js";

const CORE_FORM = "sci_core_3";
const KINDS = ["drug", "procedure", "rehabilitation", "device"];
const ADDS = { drug: "RecordTreatment", procedure: "RecordTreatment", rehabilitation: "RecordRehabilitation", device: "RecordAssistiveDevice" };
const onlyDay = (ctx) => ({ type: "date", max: ctx.model.get("page").today });

/** The fields that a kind of treatment has, with what stands in them; `values()` are those of the change. */
function careFields(ctx, kind, of, { asked = false } = {}) {
  const { t } = ctx;
  const name = field(t(kind === "rehabilitation" ? "care.trained" : "care.name"), "care-name", { value: of.name || "", maxlength: 500 });
  if (kind === "rehabilitation") {
    const on = field(t("care.on"), "care-on", { ...onlyDay(ctx), value: of.started_on ?? ctx.model.get("page").today });
    const minutes = field(t("care.minutes"), "care-minutes", { inputmode: "numeric", value: of.minutes ? String(of.minutes) : "" });
    const by = field(t("care.given_by"), "care-by", { value: of.given_by || "", maxlength: 500 });
    return {
      parts: [name, h("div", { class: "pair" }, on.el, minutes.el), by],
      added: () => ({ name: name.value(), on: on.value(), minutes: minutes.value(), given_by: by.value() }),
      revised: () => ({ name: name.value(), started_on: on.value(), ended_on: on.value(), ongoing: "no", minutes: minutes.value(), given_by: by.value() }),
      lacking: () => (!name.value() ? t("care.needs_name") : !on.value() ? t("person.needs_date") : !minutes.value() ? t("care.needs_minutes") : ""),
    };
  }
  const which = asked ? selection(t("care.kind"), "care-kind", ["drug", "procedure"].map((one) => [one, t(`care.${one}`)]), kind) : null;
  const indication = field(t("care.indication"), "care-indication", { value: of.indication || "", maxlength: 500 });
  const dose = field(t("care.dose"), "care-dose", { value: of.dose || "", maxlength: 500 });
  const [started, ended] = [field(t("care.started"), "care-started", { ...onlyDay(ctx), value: of.started_on || "" }), field(t("care.ended"), "care-ended", { ...onlyDay(ctx), value: of.ended_on || "" })];
  const ongoing = selection(t("care.ongoing"), "care-ongoing", ["unknown", "yes", "no"].map((one) => [one, t(`care.ongoing.${one}`)]), of.ongoing || "unknown");
  const treats = kind !== "device";
  const values = () => ({ name: name.value(), ...(treats ? { indication: indication.value(), dose: dose.value() } : {}), started_on: started.value(), ended_on: ended.value(), ongoing: ongoing.value() });
  return {
    parts: [...(which ? [h("div", { class: "pair" }, which.el, name.el)] : [name]), ...(treats ? [h("div", { class: "pair" }, indication.el, dose.el)] : []), h("div", { class: "three" }, started.el, ended.el, ongoing.el)],
    added: () => ({ ...values(), ...(treats ? { kind: which ? which.value() : kind } : {}) }), revised: values,
    lacking: () => (name.value() ? "" : t("care.needs_name")),
  };
}

function addCare(ctx, kind, title) {
  const made = careFields(ctx, kind, {}, { asked: kind === "drug" });
  signedSheet(ctx, { name: "care-sheet", title, verb: ctx.t("care.save"), change: ADDS[kind], parts: made.parts, fields: made.added, lacking: made.lacking });
}

function reviseCare(ctx, id) {
  const { t } = ctx;
  request(ctx.model, "row", { table: "treatment", row: id }, 20).then((reply) => {
    if (!reply.ok) return ctx.tell(reply.silent ? t("person.silent") : t.said(reply, "text"));
    const row = reply.value;
    const made = careFields(ctx, row.kind, row);
    const why = area(t("steps.why"), "why");
    return signedSheet(ctx, {
      name: "care-sheet", title: t("care.revise_title", { name: row.name }), verb: t("care.revise_now"), change: "ReviseTreatment", parts: [...made.parts, why], reason: () => why.value(),
      fields: () => ({ treatment_id: id, row_version: String(row.row_version), ...made.revised() }), lacking: () => made.lacking() || (why.value() ? "" : t("safety.needs_reason")),
    });
  });
}

function endCare(ctx, one) {
  const { t } = ctx;
  const on = field(t("care.ended"), "care-ended", { ...onlyDay(ctx), value: ctx.model.get("page").today });
  signedSheet(ctx, { name: "care-sheet", title: t("care.end_title", { name: one.name }), verb: t("care.end_now"), change: "EndTreatment", parts: [on], fields: () => ({ treatment_id: one.id, ended_on: on.value() }), lacking: () => (on.value() ? "" : t("person.needs_date")) });
}

function voidCare(ctx, one) {
  const { t } = ctx;
  const why = area(t("steps.why"), "why");
  signedSheet(ctx, { name: "care-sheet", title: t("care.void_title", { name: one.name }), verb: t("care.void_now"), change: "VoidTreatment", parts: [why], reason: () => why.value(), fields: () => ({ treatment_id: one.id }), lacking: () => (why.value() ? "" : t("safety.needs_reason")) });
}

/** Since when, until when, in words. */
function careSpan(t, one) {
  const [from, to] = [one.started && dayOf(t, one.started), one.ended && dayOf(t, one.ended)];
  if (one.kind === "rehabilitation") return from;
  if (from && to) return from === to ? from : t("care.between", { from, to });
  return [from ? t("care.since", { from }) : "", to ? t("care.until", { to }) : "", one.ongoing === "yes" ? t("care.goes_on") : ""].filter(Boolean).join(t("person.and"));
}

export function treatmentPanel(ctx, panelOf, historyValue) {
  const { t, model } = ctx;
  const { el, body } = panelOf(t("care.title"));
  const list = h("div", { class: "stack" });
  const note = h("p", { class: "xs sub" }, t("care.concealed"));
  const adds = [["drug", "care.add_treatment"], ["rehabilitation", "care.add_rehabilitation"], ["device", "care.add_device"]];
  body.append(list, note, h("div", { class: "row wrap acts" }, adds.map(([kind, key]) => h("button", { type: "button", class: "link s", "data-name": `add-${kind}`, onclick: () => addCare(ctx, kind, t(key)) }, t(key)))));
  const act = (name, one, words, what) => h("button", { type: "button", class: "link xs", "data-name": `${name}-${one.id}`, "aria-label": `${words} ${one.name}`, onclick: what }, words);
  const row = (one) => h("li", { "data-name": "treatment" }, h("div", { class: "s" }, historyValue(ctx, one.name, { table: "treatment", row: one.id, name: "name", label: one.name })),
    h("div", { class: "xs sub" }, [one.indication, one.dose ? historyValue(ctx, one.dose, { table: "treatment", row: one.id, name: "dose", label: t("care.dose") }) : "", one.minutes ? historyValue(ctx, t("care.min", { n: one.minutes }), { table: "treatment", row: one.id, name: "minutes", label: t("care.minutes") }) : "", one.given_by, careSpan(t, one), one.by].filter(Boolean).flatMap((part, i) => (i ? [" · ", part] : [part]))),
    h("div", { class: "row wrap acts" }, act("revise", one, t("care.revise"), () => reviseCare(ctx, one.id)), one.kind === "rehabilitation" || one.ended ? null : act("end", one, t("care.end"), () => endCare(ctx, one)), act("void", one, t("care.void"), () => voidCare(ctx, one))));
  const draw = whenChanged(([treatments, concealed]) => {
    const groups = KINDS.map((kind) => [kind, treatments.filter((one) => one.kind === kind)]).filter(([, found]) => found.length);
    const given = treatments.filter((one) => one.kind === "rehabilitation");
    const total = given.length ? h("div", { class: "s", "data-name": "dose-total" }, t("care.dose_total", { n: given.reduce((sum, one) => sum + one.minutes, 0), days: new Set(given.map((one) => one.started)).size })) : null;
    list.replaceChildren(...(groups.length ? groups.map(([kind, found]) => h("div", {}, h("h3", { class: "xs sub" }, t(`care.${kind}`)), kind === "rehabilitation" ? total : null, h("ul", { class: "plain" }, found.map(row)))) : [h("p", { class: "empty" }, t("care.none"))]));
    show(note, concealed);
  });
  return { el, update: (page) => draw([page.treatments, page.concealed, model.get("language")]) };
}

/** The core data set as it stands; it is entered and corrected as the form that it is. */
export function corePanel(ctx, panelOf, historyValue) {
  const { t } = ctx;
  const { el, body } = panelOf(t("care.core"));
  const draw = whenChanged(([core, known, row]) => {
    const values = known.items.filter((item) => core[item.name] !== undefined);
    const said = (item) => [shownValue(t, core[item.name]), core[item.name]?.missing ? "" : item.unit].filter(Boolean).join(" ");
    const value = (item) => (row ? historyValue(ctx, said(item), { table: "form", row, name: item.name, label: item.label }) : said(item));
    body.replaceChildren(values.length ? h("dl", { class: "kv core" }, values.flatMap((item) => [h("dt", {}, item.label), h("dd", {}, value(item))])) : h("p", { class: "empty" }, t("care.core_none")));
  });
  return {
    el,
    update: (page) => {
      const known = ((page.steps || {}).forms || {})[CORE_FORM];
      const rows = page.visits.flatMap((visit) => visit.forms.filter((form) => form.name === CORE_FORM).flatMap((form) => form.rows));
      show(el, Boolean(known));
      // Entered once: of several the page shows values without the history of one of them.
      if (known) draw([page.core, known, rows.length === 1 ? rows[0].id : ""]);
    },
  };
}
