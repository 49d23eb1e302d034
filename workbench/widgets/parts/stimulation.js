// Stimulation: what is asked for beside what is delivered, how far each limit is, and what is known of the person.
import { age, button, capitalised, classIf, fixed, h, put, show, whenChanged } from "./dom.js";
import { light } from "./icons.js";

/** Limits that are shown, the tightest first; what nobody measures comes after them, and none of it is hidden. */
const TIGHTEST = 3;
const percent = (share) => `${100 * Math.min(1, Math.max(0, share))}%`;
const lasting = (value) => fixed(value, Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0);

/** One lane a channel: dashed what is asked for, solid what is delivered, a mark at the ceiling. */
function lane(t, one, delivered) {
  const words = delivered ? t("stim.delivered_of", { n: fixed(one.delivered_ma, 1), asked: fixed(one.asked_ma, 1) }) : t("stim.asked_only", { n: fixed(one.asked_ma, 1) });
  const lower = one.ceiling_ma < one.approved_ma;
  return h("div", { class: "chan" }, h("span", { class: "nm", title: one.name }, one.name),
    h("div", { class: "track", role: "img", "aria-label": `${one.name}: ${words}` }, h("i", { class: "asked", style: `width:${percent(one.asked_ma / one.approved_ma)}` }),
      delivered ? h("i", { class: "given", style: `width:${percent(one.delivered_ma / one.approved_ma)}` }) : null,
      h("i", { class: "ceil", style: `left:${percent(one.ceiling_ma / one.approved_ma)}` })),
    h("span", { class: "v" }, words), h("span", { class: "c" }, t(lower ? "stim.ceiling_lowered" : "stim.ceiling", { n: fixed(one.ceiling_ma, 1), most: fixed(one.approved_ma, 1) })));
}

function limit(t, one) {
  const name = `${capitalised(t.said(one, "rule"))} · ${one.where}`;
  if (one.value === null) return h("div", { class: "lim" }, h("span", { class: "nm" }, name), light("off", t("stim.not_measured"), false));
  return h("div", { class: `lim${one.narrow ? " narrow" : ""}` }, h("span", { class: "nm", title: name }, one.narrow ? light("medium", name) : name),
    h("span", { class: "v" }, `${lasting(one.value)} / ${lasting(one.limit)} ${one.unit}`.trim()),
    h("div", { class: "track", "aria-hidden": "true" }, h("i", { class: "given", style: `width:${percent(1 - one.left)}` })));
}

export function stimulationPanel(ctx) {
  const { t } = ctx;
  const signed = h("span", { class: "rt" });
  const channels = h("div", { class: "chans" });
  const reported = h("div", { class: "xs mute" });
  const limits = h("div", { class: "lims" });
  const charge = h("div", { class: "xs sub" });
  const may = h("div", { class: "may", role: "status", "data-name": "stimulation-may" });
  const pressure = h("b", { "data-name": "pressure" });
  const late = h("span", { role: "status" });
  const field = h("input", { class: "field num", type: "number", min: 40, max: 320, step: 1, "aria-label": t("stim.systolic"), placeholder: "mmHg" });
  const resting = h("input", { type: "checkbox" });
  const enter = button(t("stim.enter"), () => {
    const systolic = field.valueAsNumber;
    if (!Number.isFinite(systolic)) return field.focus();
    return ctx.ask("take_pressure", { systolic, resting: resting.checked }).then((reply) => {
      if (!reply.ok) return;
      field.value = "";
      resting.checked = false;
    });
  }, { name: "enter-pressure" });
  const felt = button(t("stim.symptom"), () => ctx.ask("take_symptom", { words: t("stim.symptom_felt") }), { name: "symptom" });
  const entry = h("form", { class: "reading", onsubmit: (event) => { event.preventDefault(); enter.click(); } }, field, h("label", {}, resting, t("stim.resting")));
  const person = h("div", { class: "pressure" }, h("div", { class: "row" }, h("span", { class: "s sub" }, t("stim.pressure")), pressure, late), entry);
  const el = h("div", { class: "panel stim" }, h("div", { class: "hd" }, h("h2", {}, t("stim.title")), signed),
    h("div", { class: "bd" }, h("div", {}, channels, reported), h("div", {}, limits, charge), h("div", {}, may, person, h("div", { class: "acts" }, enter, felt))));

  const drawChannels = whenChanged((list) => channels.replaceChildren(...list.map((one) => lane(t, one, one.delivered_ma !== null))));
  const drawLimits = whenChanged((list) => {
    // Of each limit the contact that is nearest to it.
    const known = list.filter((one, i) => one.value !== null && list.findIndex((other) => other.rule === one.rule) === i);
    limits.replaceChildren(...[...known.slice(0, TIGHTEST), ...list.filter((one) => one.value === null)].map((one) => limit(t, one)));
  });
  const drawMay = whenChanged((list) => may.replaceChildren(...(list.length ? list.map((one) => light("off", capitalised(t.said(one, "text")), false)) : [light("ok", t("stim.may_flow"))])));

  return {
    el,
    update(s) {
      const all = (s.effector || {}).stimulation;
      show(el, Boolean(all));
      if (!all) return;
      put(signed, [...new Set(all.limits.map((one) => t("stim.signed", { electrode: one.electrode, version: one.version, people: one.signed_by.join(", "), hash: one.sha256.slice(0, 8) })))].join(" · "));
      drawChannels(all.channels);
      put(reported, all.mode === "" ? t("stim.blinded") : all.delivered_age_s === null ? t("stim.no_report") : t("stim.reported", { age: age(t, all.delivered_age_s) }));
      drawLimits(all.margins);
      const most = all.charge.reduce((worst, one) => (one.day_uc / one.day_limit_uc > worst.day_uc / worst.day_limit_uc ? one : worst), all.charge[0]);
      put(charge, most ? t("stim.charge", { where: most.where, session: fixed(most.session_uc / 1000, 2), day: fixed(most.day_uc / 1000, 2), limit: fixed(most.day_limit_uc / 1000, 0) }) : "");
      drawMay(all.forbids.slice(0, 3));
      const who = all.person;
      show(person, who.at_risk);
      show(enter, who.at_risk);
      put(pressure, who.systolic === null ? "—" : t("stim.mmhg", { n: fixed(who.systolic, 0), rest: fixed(who.baseline, 0) }));
      put(late, who.late_s > 0 ? t("stim.late", { age: age(t, who.late_s) }) : "");
      classIf(late, "bad", who.late_s > 0);
    },
  };
}
