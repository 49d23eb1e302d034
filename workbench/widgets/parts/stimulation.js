// Stimulation: what is asked for beside what is delivered, how far each limit is, and what is known of the person.
import { age, button, capitalised, classIf, fixed, h, put, show, whenChanged } from "./dom.js";
import { light } from "./icons.js";

/** Limits that are shown, the tightest first; what nobody measures comes after them, and none of it is hidden. */
const TIGHTEST = 3;
const percent = (share) => `${100 * Math.min(1, Math.max(0, share))}%`;
const lasting = (value) => fixed(value, Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0);

const SPAN_S = 10;
/** More channels than these have one line each. */
const FEW = 2;

/** What was asked and delivered in the last seconds; a lane is drawn of it. */
function remember(store, channels) {
  const now = performance.now() / 1000;
  store.stimulated = [...(store.stimulated || []), [now, channels.map((one) => [one.asked_ma, one.delivered_ma])]].filter(([at]) => now - at <= SPAN_S);
  return store.stimulated.map(([at, values]) => [at - now, values]);
}

/** One lane: seconds across, current upward; dashed asked, filled delivered, a line at the ceiling. */
function laneSvg(history, n, one, delivered) {
  const [w, tall] = [200, 26];
  const x = (s) => w + (s / SPAN_S) * w;
  const y = (ma) => tall - 1 - Math.min(1, ma / one.approved_ma) * (tall - 4);
  const steps = (at) => history.map(([s, values], i) => {
    const [here, before] = [y((values[n] || [])[at] || 0), i ? y((history[i - 1][1][n] || [])[at] || 0) : null];
    return before === null ? `M${x(s).toFixed(1)} ${here.toFixed(1)}` : `L${x(s).toFixed(1)} ${before.toFixed(1)}L${x(s).toFixed(1)} ${here.toFixed(1)}`;
  }).join("");
  const [asked, given] = [steps(0), delivered ? steps(1) : ""];
  const from = history.length ? x(history[0][0]).toFixed(1) : w;
  return `<svg viewBox="0 0 ${w} ${tall}" preserveAspectRatio="none" aria-hidden="true"><path class="base" d="M0 ${tall - 1}H${w}"/>${given ? `<path class="given" d="${given}L${w} ${y(one.delivered_ma).toFixed(1)}V${tall - 1}H${from}Z"/>` : ""}<path class="asked" d="${asked}L${w} ${y(one.asked_ma).toFixed(1)}"/><path class="ceil" d="M0 ${y(one.ceiling_ma).toFixed(1)}H${w}"/></svg>`;
}

/** A lead: its contacts with their sign, and how much of the day's charge each has borne; filled where current flows. */
function leads(t, all) {
  const rows = [...new Set(all.charge.map((one) => one.lead))].map((lead) => {
    const cells = all.charge.filter((one) => one.lead === lead).sort((a, b) => a.contact - b.contact).map((one) => {
      const own = all.channels.filter((channel) => channel.lead === lead && [...channel.cathodes, ...channel.anodes].includes(one.contact));
      const flows = own.some((channel) => channel.asked_ma > 0);
      const sign = own.some((channel) => channel.cathodes.includes(one.contact)) ? "−" : "+";
      const share = one.day_limit_uc ? one.day_uc / one.day_limit_uc : 0;
      const words = t("stim.contact", { where: one.where, sign, share: Math.round(100 * share), session: fixed(one.session_uc / 1000, 2), day: fixed(one.day_uc / 1000, 2) });
      return h("span", { class: `ct${flows ? " on" : ""}${sign === "+" ? " anode" : ""}${share > 0.8 ? " near" : ""}`, role: "img", "aria-label": words, title: words }, h("i", { style: `height:${percent(share)}` }), h("b", {}, `${sign}${one.contact}`));
    });
    return h("div", { class: "lead", role: "group", "aria-label": lead }, h("span", { class: "xs mute nm", title: lead }, lead), h("div", { class: "cts" }, cells));
  });
  return rows;
}

/** One lane a channel: dashed what is asked for, solid what is delivered, a line at the ceiling. */
function lane(t, one, delivered, history, n, many) {
  const words = delivered ? t("stim.delivered_of", { n: fixed(one.delivered_ma, 1), asked: fixed(one.asked_ma, 1) }) : t("stim.asked_only", { n: fixed(one.asked_ma, 1) });
  const lower = one.ceiling_ma < one.approved_ma;
  const ceiling = t(lower ? "stim.ceiling_lowered" : "stim.ceiling", { n: fixed(one.ceiling_ma, 1), most: fixed(one.approved_ma, 1) });
  return h("div", { class: "chan" }, h("span", { class: "nm", title: one.name }, one.name),
    h("div", { class: "lanet", role: "img", "aria-label": `${one.name}: ${words}`, html: laneSvg(history, n, one, delivered) }),
    h("span", { class: "v", title: `${words}; ${ceiling}` }, many && delivered ? `${fixed(one.delivered_ma, 1)} / ${fixed(one.asked_ma, 1)}${lower ? ` ≤ ${fixed(one.ceiling_ma, 1)}` : ""} mA` : words), h("span", { class: "c" }, ceiling));
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
  const lead = h("div", { class: "leads", "data-name": "leads" });
  const which = h("select", { class: "field", "aria-label": t("stim.channel"), "data-name": "ceiling-channel" });
  const most = h("input", { class: "field num", type: "number", min: 0, step: 0.1, "aria-label": t("stim.new_ceiling"), placeholder: "mA", "data-name": "ceiling-ma" });
  const set = button(t("stim.set_ceiling"), () => {
    if (!Number.isFinite(most.valueAsNumber)) return most.focus();
    return ctx.ask("set_ceiling", { channel: Number(which.value), current_ma: most.valueAsNumber }).then((reply) => {
      put(refused, reply.ok ? "" : reply.silent ? t("ask.silent") : capitalised(t.said(reply, "text")));
      if (reply.ok) most.value = "";
    });
  }, { name: "set-ceiling" });
  const refused = h("div", { class: "xs bad", role: "alert", "data-name": "ceiling-refused" });
  const ceilings = h("form", { class: "ceilings", onsubmit: (event) => { event.preventDefault(); set.click(); } }, which, most, set);
  const may = h("div", { class: "may", role: "status", "data-name": "stimulation-may" });
  const pressure = h("b", { "data-name": "pressure" });
  const late = h("span", { role: "status" });
  const field = h("input", { class: "field num", type: "number", min: 40, max: 320, step: 1, "data-name": "systolic", "aria-label": t("stim.systolic"), placeholder: "mmHg" });
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
    h("div", { class: "bd" }, h("div", {}, channels, reported, ceilings, refused), h("div", {}, limits, lead, charge), h("div", {}, may, person, h("div", { class: "acts" }, enter, felt))));

  const drawChannels = (list, history) => channels.replaceChildren(...list.map((one, n) => lane(t, one, one.delivered_ma !== null, history, n, list.length > FEW)));
  const drawLeads = whenChanged((all) => lead.replaceChildren(...leads(t, all)));
  const drawWhich = whenChanged((names) => which.replaceChildren(...names.map((name, n) => h("option", { value: n }, name))));
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
      classIf(el, "many", all.channels.length > FEW);
      drawChannels(all.channels, remember(ctx.store, all.channels));
      drawWhich(all.channels.map((one) => one.name));
      drawLeads({ charge: all.charge, channels: all.channels.map((one) => ({ ...one, delivered_ma: 0 })) });
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
