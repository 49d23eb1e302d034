// Implants of a participant: the surgery, what was found, the checks that the protocol plans and those that were missed, and
// the removal. A missed check stays missed: what is entered of it is a deviation from the protocol, with its reason. What was
// found is corrected, or marked as entered by mistake, and stays in the history.
import { button, h, put, request, show, whenChanged } from "./dom.js";
import { light } from "./icons.js";
import { area, field, selection, signedSheet } from "./signed.js";
import { checkSaid, dayOf } from "./timeline.js";

const FINDINGS = ["imaging", "infection", "impedance", "wound", "lead"];
const MOST_OPEN = 5; // findings that are shown without unfolding them
const CHECK_LIGHTS = { missed: "medium", due: "dot" };
const onlyPast = (ctx) => ({ type: "date", max: ctx.model.get("page").today });
const beside = (...parts) => h("div", { class: "pair" }, parts.map((one) => one.el));

/** Whole days from one ISO date to another. */
const daysTo = (from, to) => Math.round((Date.parse(to) - Date.parse(from)) / 86400000);

function recordImplant(ctx) {
  const { t, model } = ctx;
  const page = model.get("page");
  const text = (label, name) => field(t(label), name, { maxlength: 500 });
  const [device, location] = [text("implants.device", "implant-device"), text("implants.location", "implant-location")];
  const [udi, serial] = [text("implants.udi", "implant-udi"), text("safety.serial", "implant-serial")];
  const on = field(t("implants.on"), "implanted-on", { ...onlyPast(ctx), value: page.today });
  signedSheet(ctx, {
    name: "implant-sheet", title: t("implants.record_of", { person: page.person.pseudonym }), verb: t("implants.record_now"), change: "Implant",
    parts: [beside(device, location), beside(udi, serial), on],
    fields: () => ({ device: device.value(), location: location.value(), udi: udi.value(), serial: serial.value(), implanted_on: on.value() }),
    lacking: () => (!device.value() ? t("implants.needs_device") : !location.value() ? t("implants.needs_location") : !on.value() ? t("person.needs_date") : ""),
  });
}

/** Impedances by contact from lines such as "E1 1200", and the first line that is none. */
function impedances(text) {
  const values = {};
  for (const line of text.split("\n").map((one) => one.trim()).filter(Boolean)) {
    const found = /^(.+?)[\s:=,]+([0-9]+(?:\.[0-9]+)?)$/.exec(line);
    if (!found || found[1] in values) return { values, bad: line };
    values[found[1]] = Number(found[2]);
  }
  return { values, bad: "" };
}

/** The fields of a finding with what stands in them, and what still has to be entered. */
function findingFields(ctx, of) {
  const { t, model } = ctx;
  const kind = selection(t("implants.kind"), "finding-kind", FINDINGS.map((one) => [one, t(`safety.finding.${one}`)]), of.kind);
  const on = field(t("implants.found_on"), "found-on", { ...onlyPast(ctx), value: of.found_on || model.get("page").today });
  const text = area(t("implants.text"), "finding-text", of.text);
  const measured = area(t("implants.values"), "finding-values", Object.entries(of.values || {}).map(([name, value]) => `${name} ${value}`).join("\n"));
  const notable = h("input", { type: "checkbox", class: "tick", "data-name": "finding-notable" });
  notable.checked = Boolean(of.notable);
  const isMeasured = () => kind.value() === "impedance";
  const look = () => show(measured.el, isMeasured());
  kind.input.addEventListener("change", look);
  look();
  const lacking = () => {
    const { values, bad } = impedances(measured.value());
    if (!on.value()) return t("person.needs_date");
    if (isMeasured() && bad) return t("implants.bad_line", { line: bad });
    if (isMeasured() && !Object.keys(values).length) return t("implants.needs_values");
    return text.value() ? "" : t("implants.needs_text");
  };
  return {
    parts: [beside(kind, on), measured, text, h("label", { class: "purpose" }, notable, h("span", { class: "s" }, t("implants.notable")))],
    fields: () => ({ kind: kind.value(), found_on: on.value(), text: text.value(), notable: notable.checked ? "yes" : "no", values: isMeasured() ? JSON.stringify(impedances(measured.value()).values) : "" }),
    lacking,
  };
}

function recordFinding(ctx, implant, wanted = "imaging") {
  const { t } = ctx;
  const made = findingFields(ctx, { kind: wanted });
  signedSheet(ctx, {
    name: "finding-sheet", title: t("implants.finding_title", { device: implant.device }), verb: t("implants.finding_now"), change: "RecordFinding",
    parts: made.parts, fields: () => ({ implant_id: implant.id, ...made.fields() }), lacking: made.lacking,
  });
}

function reviseFinding(ctx, implant, id) {
  const { t } = ctx;
  request(ctx.model, "row", { table: "implant_finding", row: id }, 20).then((reply) => {
    if (!reply.ok) return ctx.tell(reply.silent ? t("person.silent") : t.said(reply, "text"));
    const made = findingFields(ctx, reply.value);
    const why = area(t("steps.why"), "why");
    return signedSheet(ctx, {
      name: "finding-sheet", title: t("implants.revise_title", { device: implant.device }), verb: t("implants.revise_now"), change: "ReviseFinding", parts: [...made.parts, why], reason: () => why.value(),
      fields: () => ({ finding_id: id, row_version: String(reply.value.row_version), ...made.fields() }), lacking: () => made.lacking() || (why.value() ? "" : t("safety.needs_reason")),
    });
  });
}

function voidFinding(ctx, implant, one) {
  const { t } = ctx;
  const why = area(t("steps.why"), "why");
  signedSheet(ctx, {
    name: "finding-sheet", title: t("implants.void_title", { device: implant.device }), verb: t("implants.void_now"), change: "VoidFinding", parts: [h("p", { class: "s sub" }, t("implants.void_what", { day: dayOf(t, one.on), text: one.text })), why], reason: () => why.value(),
    fields: () => ({ finding_id: one.id }), lacking: () => (why.value() ? "" : t("safety.needs_reason")),
  });
}

/** The removal, or, where one is entered already, another one in its place. */
function recordRemoval(ctx, implant) {
  const { t, model } = ctx;
  const page = model.get("page");
  const again = Boolean(implant.explanted_on);
  const on = field(t("implants.out_on"), "explanted-on", { ...onlyPast(ctx), value: implant.explanted_on || page.today });
  const known = page.intercurrent;
  const event = known.length ? selection(t("implants.event"), "explant-event", known.map((one) => [one, one]), implant.intercurrent || undefined) : field(t("implants.event"), "explant-event", { value: implant.intercurrent, maxlength: 500 });
  const why = area(t("steps.why"), "why");
  signedSheet(ctx, {
    name: "explant-sheet", title: t(again ? "implants.correct_title" : "implants.explant_title", { device: implant.device }), verb: t("implants.explant_now"), change: "Explant",
    parts: [beside(on, event), why], reason: () => why.value(),
    fields: () => ({ implant_id: implant.id, explanted_on: on.value(), event: event.value(), correct: again ? "yes" : "no" }),
    lacking: () => (!on.value() ? t("person.needs_date") : !event.value() ? t("implants.needs_event") : why.value() ? "" : t("safety.needs_reason")),
  });
}

function recordMissed(ctx, implant, check) {
  const { t } = ctx;
  const days = { name: check.name, from: dayOf(t, check.earliest), until: dayOf(t, check.latest) };
  const [why, impact] = [area(t("implants.missed_why"), "missed-why"), area(t("person.impact"), "missed-impact")];
  signedSheet(ctx, {
    name: "missed-sheet", title: t("implants.missed_title", days), verb: t("implants.missed_now"), change: "RecordDeviation",
    parts: [h("p", { class: "s sub" }, t("implants.missed_what", days)), why, impact],
    fields: () => ({ category: "procedure", text: t("implants.missed_text", { said: checkSaid(t, check), why: why.value() }), impact: impact.value(), table: "implant", row_id: implant.id }),
    lacking: () => (why.value() ? "" : t("safety.needs_reason")),
  });
}

/** What was found, newest first after what is notable, then what was entered by mistake; pressed for its history. */
function findingLines(ctx, implant, historyValue, act) {
  const { t } = ctx;
  if (!implant.findings.length && !implant.void.length) return null;
  const said = (one) => t("safety.implant.finding", { kind: t(`safety.finding.${one.kind}`, {}, one.kind), day: dayOf(t, one.on), text: [one.text, one.n_values ? t("implants.contacts", { n: one.n_values }) : ""].filter(Boolean).join(" · ") });
  const history = (one, name) => historyValue(ctx, said(one), { table: "implant_finding", row: one.id, name, label: t(name === "state" ? "implants.void_label" : "implants.text") });
  const lines = implant.findings.map((one) => h("li", { class: "xs", "data-name": "finding" }, one.notable ? light("medium", t("implants.notable_short"), false) : null, history(one, "text"),
    h("div", { class: "row wrap acts" }, act(`revise-${one.id}`, t("implants.revise"), said(one), () => reviseFinding(ctx, implant, one.id)), act(`void-${one.id}`, t("implants.void"), said(one), () => voidFinding(ctx, implant, one)))));
  const voided = implant.void.map((one) => h("li", { class: "xs sub", "data-name": "finding-void" }, t("implants.voided"), " ", history(one, "state")));
  return h("details", { open: lines.length <= MOST_OPEN || implant.findings.some((one) => one.notable) }, h("summary", { class: "xs", "data-name": `findings-${implant.id}` }, t("implants.findings", { n: lines.length })), h("ul", { class: "plain" }, lines, voided));
}

export function implantPanel(ctx, panelOf, historyValue) {
  const { t, model } = ctx;
  const { el, body } = panelOf(t("person.lane.implants"));
  const list = h("ul", { class: "plain" });
  const none = h("p", { class: "empty", "data-name": "no-implants" });
  body.append(none, list, button(t("implants.record"), () => recordImplant(ctx), { name: "add-implant" }));
  const act = (name, words, about, what) => h("button", { type: "button", class: "link xs", "data-name": name, "aria-label": `${words} ${about}`, onclick: what }, words);
  const checkLine = (one, check, i) => h("li", { "data-name": `check-${check.state}` }, light(CHECK_LIGHTS[check.state], checkSaid(t, check), false),
    h("div", { class: "row wrap acts" }, check.state === "due" ? act(`enter-${one.id}-${i}`, t("implants.finding"), check.name, () => recordFinding(ctx, one, check.kind)) : act(`missed-${one.id}-${i}`, t("implants.missed"), check.name, () => recordMissed(ctx, one, check))));
  const row = (one, deviations) => {
    const told = deviations.filter((each) => each.row_id === one.id);
    const value = (name, label) => (one[name] ? historyValue(ctx, one[name], { table: "implant", row: one.id, name, label: t(label) }) : "");
    const day = daysTo(one.implanted_on, one.explanted_on || model.get("page").today);
    const since = one.explanted_on ? t("care.between", { from: dayOf(t, one.implanted_on), to: dayOf(t, one.explanted_on) }) : t("care.since", { from: dayOf(t, one.implanted_on) });
    return h("li", { "data-name": "implant" }, h("div", { class: "s" }, value("device", "implants.device")),
      h("div", { class: "xs sub" }, [value("location", "implants.location"), value("serial", "safety.serial"), since, t("safety.implant.day", { n: day }), one.explanted_on ? historyValue(ctx, one.intercurrent, { table: "implant", row: one.id, name: "explanted_on", label: t("implants.out_on") }) : ""].filter(Boolean).flatMap((part, i) => (i ? [" · ", part] : [part]))),
      h("ul", { class: "plain" }, one.checks.filter((check) => CHECK_LIGHTS[check.state]).map((check, i) => checkLine(one, check, i))),
      told.length ? h("div", { class: "xs sub", "data-name": "told" }, t("implants.told", { n: told.length, newest: t.said(told.at(-1), "text") })) : null, findingLines(ctx, one, historyValue, act),
      h("div", { class: "row wrap acts" }, act(`finding-${one.id}`, t("implants.finding"), one.device, () => recordFinding(ctx, one)), act(`explant-${one.id}`, t(one.explanted_on ? "implants.correct" : "implants.explant"), one.device, () => recordRemoval(ctx, one))));
  };
  const draw = whenChanged(([implants, concealed, , deviations]) => {
    list.replaceChildren(...implants.map((one) => row(one, deviations)));
    put(none, t(concealed ? "safety.implants.concealed" : "safety.implants.none"));
    show(none, !implants.length);
  });
  return { el, update: (page) => draw([page.implants || [], page.concealed, page.today, page.deviations]) };
}
