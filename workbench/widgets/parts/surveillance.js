// Implants by day since surgery: those with findings first, quiet ones folded into a line.
import { h, put, show, whenChanged } from "./dom.js";
import { LIGHTS } from "./icons.js";
import { sized, svgOf } from "./timeline.js";

const MONTH = 30.4;
const IMPLANT = { name: 76, day: 66, row: 27, top: 6, text: 340 };

/** One line of time: checks, findings, removal, today. Words beside it say the same. */
function implantLine(t, one, x, y) {
  const of = (name, attributes) => svgOf(name, attributes);
  const end = x(one.days);
  const parts = [of("path", { class: "life", d: `M${x(0)} ${y}H${end}` })];
  for (const found of one.findings.filter((each) => !each.notable)) parts.push(of("path", { class: "check", d: `M${x(found.day)} ${y - 6}v12` }));
  for (const check of one.checks.filter((each) => each.state !== "done" && each.day <= one.most)) {
    const at = x(check.day);
    parts.push(check.state === "missed" ? of("path", { class: "out", d: `M${at - 4} ${y - 4}l8 8m0-8l-8 8` }) : of("circle", { class: `planned ${check.state}`, cx: at, cy: y, r: 5 }));
  }
  for (const found of one.findings.filter((each) => each.notable)) {
    const mark = svgOf("g", { class: "alert", transform: `translate(${x(found.day) - 8} ${y - 9})` });
    mark.innerHTML = LIGHTS.medium.replace(/^<svg[^>]*>|<\/svg>$/g, "");
    parts.push(mark);
  }
  parts.push(one.explanted_on ? of("path", { class: "out", d: `M${end - 5} ${y - 5}l10 10M${end + 5} ${y - 5}l-10 10` }) : of("path", { class: "today", d: `M${end} ${y - 9}v18` }));
  return parts;
}

function implantPicture(t, implants, width) {
  const most = Math.max(2 * MONTH, ...implants.map((one) => one.days));
  const left = IMPLANT.name + IMPLANT.day;
  const right = Math.max(left + 120, width - IMPLANT.text);
  const x = (day) => left + ((right - left - 12) * day) / most;
  const height = IMPLANT.top + IMPLANT.row * implants.length + 18;
  const svg = svgOf("svg", { class: "implants", width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": implants.map((one) => `${one.participant}, ${t("safety.implant.day", { n: one.days })}: ${implantWords(t, one)}`).join(". ") });
  const text = (words, attributes) => { const el = svgOf("text", attributes); el.textContent = words; return el; };
  const step = [1, 2, 3, 6, 12, 24].find((n) => most / MONTH / n <= 9) || 60;
  for (let month = 0; month * MONTH <= most; month += step) {
    svg.append(svgOf("path", { class: "grid", d: `M${x(month * MONTH)} 2V${height - 16}` }), text(month ? t("safety.implant.month", { n: month }) : t("safety.implant.surgery"), { class: "quiet", x: x(month * MONTH), y: height - 3, "text-anchor": month ? "middle" : "start" }));
  }
  implants.forEach((one, i) => {
    const y = IMPLANT.top + IMPLANT.row * i + IMPLANT.row / 2;
    svg.append(text(one.participant, { class: "strong", x: 0, y: y + 4 }), text(t("safety.implant.day", { n: one.days }), { class: "quiet", x: IMPLANT.name, y: y + 4 }), ...implantLine(t, { ...one, most }, x, y));
    const label = text(clipped(implantWords(t, one), (width - right - 8) / 6.2), { x: right + 8, y: y + 4 });
    const whole = svgOf("title");
    whole.textContent = implantWords(t, one);
    label.append(whole);
    svg.append(label);
  });
  return svg;
}

const clipped = (words, most) => (words.length > most ? `${words.slice(0, Math.max(4, most - 1))}…` : words);

/** The newest notable finding, what was missed or is due, and the removal, in words. */
function implantWords(t, one) {
  const found = one.findings.find((each) => each.notable);
  const words = found ? t("safety.implant.finding", { kind: t(`safety.finding.${found.kind}`, {}, found.kind), day: found.on, text: found.text }) : "";
  const checks = ["missed", "due"].map((state) => one.checks.filter((check) => check.state === state).map((check) => check.name))
    .map((names, i) => (names.length ? t(i ? "safety.implant.due" : "safety.implant.missed", { names: [...new Set(names)].join(t("person.and")), n: names.length }) : ""));
  return [words, ...checks, one.explanted_on ? t("safety.implant.out", { day: one.explanted_on }) : ""].filter(Boolean).join("; ");
}

export function surveillancePanel(ctx) {
  const { t, model } = ctx;
  let shown = [];
  const about = h("span", { class: "s mute" });
  const none = h("p", { class: "empty" });
  const quiet = h("p", { class: "s sub", "data-name": "quiet-implants" });
  const axis = sized((width) => (shown.length ? implantPicture(t, shown, width) : h("div", {})));
  const legend = h("span", { class: "legend xs sub rt", "aria-hidden": "true" }, h("span", {}, h("i", { class: "chk" }), t("safety.legend.check")), h("span", {}, h("i", { class: "pln" }), t("safety.legend.planned")), h("span", {}, h("i", { class: "mss" }, "×"), t("safety.legend.missed")), h("span", {}, h("span", { class: "lt medium" }, h("span", { class: "ico", html: LIGHTS.medium })), t("safety.legend.notable")), h("span", {}, h("i", { class: "now" }), t("safety.legend.today")));
  const draw = whenChanged(([implants, still, page]) => {
    shown = implants;
    axis.redraw();
    show(axis.el, implants.length > 0);
    put(about, page.concealed || !page.n ? "" : t(page.n === 1 ? "safety.implants.how_one" : "safety.implants.how", { n: page.n }));
    put(none, page.concealed ? t("safety.implants.concealed") : t("safety.implants.none"));
    show(none, page.concealed || !page.n);
    put(quiet, still.n ? t(still.n === 1 ? "safety.implants.one_quiet" : "safety.implants.quiet", { n: still.n, from: still.from, to: still.to, checks: still.checks }) + (still.due ? ` ${t("safety.implants.due", { n: still.due })}` : "") : "");
    show(quiet, Boolean(still.n));
  });
  const el = h("div", { class: "panel implantpanel" }, h("div", { class: "hd" }, h("h2", {}, t("safety.implants")), about, legend), h("div", { class: "bd scroll", role: "region", tabindex: 0, "aria-label": t("safety.implants") }, none, axis.el, quiet));
  return { el, update: (page) => draw([page.implants || [], page.quiet || {}, { concealed: Boolean(page.concealed), n: page.n_implants || 0 }]), stop: axis.stop };
}
