// Small pictures of outcomes over visits: shape says who helped, fill whether the device was on. No line joins two
// conditions, a missing visit breaks the line, and what is not determinable is written and not drawn as a number.
import { h } from "./dom.js";
import { svgOf, widthOf } from "./timeline.js";

const PLOT = { height: 104, left: 34, right: 40, top: 10, bottom: 20 };
const ONE_LINE = 13; // px between two values beside their marks

/** device off, unassisted · stimulation and orthosis only where there were any. */
export function helpWords(t, one) {
  return [t(one.device_on ? "person.device_on" : "person.device_off"), t(one.assisted ? "person.assisted" : "person.unassisted"),
    one.stimulation_on ? t("person.stimulation_on") : "", one.orthosis, one.mode ? t(`form.mode.${one.mode}`, {}, one.mode) : ""].filter(Boolean).join(t("person.and"));
}

/** A mark at a place: square for assisted, disc for not; filled while the device was on; a ring for stimulation. */
function mark(one, x, y) {
  const kind = `mark ${one.device_on ? "on" : ""}`;
  const shape = one.assisted ? svgOf("rect", { class: kind, x: x - 4, y: y - 4, width: 8, height: 8 }) : svgOf("circle", { class: kind, cx: x, cy: y, r: 4.2 });
  return one.stimulation_on ? svgOf("g", {}, svgOf("circle", { class: "ring", cx: x, cy: y, r: 7.5 }), shape) : shape;
}

/** The mark and what it means, for the legend. */
export function legendOf(t, measures) {
  const seen = new Map(measures.flatMap((one) => one.series).map((one) => [[one.assisted, one.device_on, one.stimulation_on].join(), one]));
  return [...seen.values()].map((one) => h("span", { class: "key" }, svgOf("svg", { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" }, mark(one, 8, 8)),
    helpWords(t, { ...one, orthosis: "", mode: "" })));
}

/** Whom the grey bars are of and where they come from, or why there are none; nothing of a measure without any. */
function recoveryWords(t, measure) {
  const found = measure.recovery;
  if (!found) return null;
  if (found.why) return t(`person.recovery.${found.why}`, { least: found.least });
  const counts = found.bands.filter(Boolean).map((one) => one.n);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return t("person.recovery", { ais: found.group.ais, plegia: t(`person.recovery.${found.group.plegia}`), n: least === most ? least : `${least}–${most}`, source: found.source });
}

const numeric = (value) => value !== null && value !== undefined;
const short = (value) => (Number.isInteger(value) ? String(value) : value.toFixed(Math.abs(value) < 10 ? 2 : 1));

function scaleOf(measure) {
  const values = measure.series.flatMap((one) => one.points.map((point) => point.value)).filter(numeric);
  const low = numeric(measure.low) ? measure.low : Math.min(0, ...values);
  // A range of which nobody said where it ends is drawn up to a round number above what was measured.
  const most = Math.max(...values, low + 1);
  const unit = 10 ** Math.floor(Math.log10(most - low));
  const high = numeric(measure.high) && measure.high < 1e4 ? measure.high : low + Math.ceil((most - low) / unit) * unit;
  return [low, high];
}

/** Runs of neighbouring visits: a visit without a value breaks the line. The last value of a visit is led on. */
function runs(points) {
  const byVisit = new Map(points.filter((one) => numeric(one.value)).map((one) => [one.visit, one]));
  const found = [];
  [...byVisit.keys()].sort((a, b) => a - b).forEach((visit) => {
    const open = found[found.length - 1];
    if (open && open[open.length - 1].visit === visit - 1) open.push(byVisit.get(visit));
    else found.push([byVisit.get(visit)]);
  });
  return found;
}

/** Values beside their last marks, moved apart until each can be read. */
function apart(labels) {
  const sorted = [...labels].sort((a, b) => a.y - b.y);
  sorted.forEach((one, i) => { if (i && one.y - sorted[i - 1].y < ONE_LINE) one.y = sorted[i - 1].y + ONE_LINE; });
  const over = sorted.length ? sorted[sorted.length - 1].y - (PLOT.top + PLOT.height) : 0;
  if (over > 0) sorted.forEach((one) => { one.y -= over; });
  return sorted;
}

/** Every value in words. */
function spokenMeasure(t, measure) {
  const told = measure.series.map((one) => `${helpWords(t, one)}: ${one.points.map((point) => `${measure.visits[point.visit]} ${valueOf(t, point)}`).join(", ")}`);
  const bands = (measure.recovery?.bands || []).map((band, visit) => (band ? `${measure.visits[visit]} ${t("person.recovery.spoken", { low: short(band.low), high: short(band.high) })}` : "")).filter(Boolean);
  return `${nameOf(t, measure)}. ${[...told, ...bands].join(". ")}`;
}

const valueOf = (t, point) => (!numeric(point.value) ? t(`person.status.${point.status}`, {}, point.status) : point.status === "ok" ? short(point.value) : `${short(point.value)} (${t(`person.status.${point.status}`, {}, point.status)})`);

export function nameOf(t, measure) {
  const own = measure.measure.toUpperCase().replaceAll("_", " ");
  const part = t(`person.part.${measure.part}`, {}, t(`measure.${measure.measure}.${measure.part}`, {}, measure.label));
  return [measure.measure === "performance" ? part : own, measure.measure !== "performance" && measure.part !== "total" ? part || measure.part : "",
    measure.side ? t(`form.side.${measure.side}`, {}, measure.side).toLowerCase() : ""].filter(Boolean).join(" ");
}

function plot(t, measure, width) {
  const { visits } = measure;
  const [low, high] = scaleOf(measure);
  const [left, right] = [PLOT.left, width - PLOT.right];
  const y = (value) => PLOT.top + PLOT.height * (1 - (value - low) / (high - low || 1));
  const x = (visit) => (visits.length > 1 ? left + 8 + ((right - left - 8) * visit) / (visits.length - 1) : (left + right) / 2);
  const base = PLOT.top + PLOT.height;
  const parts = [low, (low + high) / 2, high].map((value) => svgOf("path", { class: "grid", d: `M${left} ${y(value)}H${right}` }));
  parts.push(svgOf("text", { class: "quiet", x: left - 6, y: y(high) + 4, "text-anchor": "end" }, short(high)), svgOf("text", { class: "quiet", x: left - 6, y: base + 4, "text-anchor": "end" }, short(low)));
  const labels = [];
  // Behind everything, at the visits of a stage alone: nobody was examined in between.
  (measure.recovery?.bands || []).forEach((band, visit) => { if (band) parts.push(svgOf("rect", { class: "recovery", x: x(visit) - 9, y: y(band.high), width: 18, height: Math.max(1, y(band.low) - y(band.high)) }), svgOf("path", { class: "recovered", d: `M${x(visit) - 9} ${y(band.mean)}h18` })); });
  for (const one of measure.series) {
    for (const run of runs(one.points)) if (run.length > 1) parts.push(svgOf("polyline", { class: `course ${one.device_on ? "on" : ""}`, points: run.map((point) => `${x(point.visit)},${y(point.value)}`).join(" ") }));
    one.points.forEach((point) => parts.push(numeric(point.value) ? mark(one, x(point.visit), y(point.value))
      : svgOf("text", { class: "quiet", x: x(point.visit), y: base - 5, "text-anchor": "middle" }, t(`person.status.${point.status}`, {}, point.status))));
    const last = one.points.filter((point) => numeric(point.value)).pop();
    if (last) labels.push({ x: x(last.visit) + 9, y: y(last.value) + 4, text: short(last.value), strong: one.device_on });
  }
  apart(labels).forEach((one) => parts.push(svgOf("text", { class: one.strong ? "strong" : "", x: one.x, y: one.y }, one.text)));
  return svgOf("svg", { viewBox: `0 0 ${width} ${base + PLOT.bottom}`, width, height: base + PLOT.bottom, role: "img", "aria-label": spokenMeasure(t, measure) },
    ...parts, ...visitNames(measure, x, base + 16, width));
}

/** Names of the visits that have a value, and of the last one, as far as they fit. */
function visitNames(measure, x, y, width) {
  const { visits } = measure;
  const used = [...new Set(measure.series.flatMap((one) => one.points.map((point) => point.visit)))].sort((a, b) => a - b);
  const wanted = [...new Set([...used, visits.length - 1])].filter((visit) => visit >= 0);
  const names = [];
  let end = -Infinity;
  for (const visit of wanted) {
    const text = visits[visit].length > 12 ? `${visits[visit].slice(0, 11)}…` : visits[visit];
    const half = widthOf(text) / 2;
    const middle = Math.min(Math.max(x(visit), half), width - half);
    if (middle - half < end + 6) continue;
    end = middle + half;
    names.push(svgOf("text", { class: "quiet", x: middle, y, "text-anchor": "middle" }, text));
  }
  return names;
}

/** First and last value of what shows recovery best: without help and device where there is such a line. */
function sentence(t, measure) {
  const one = measure.series.find((line) => !line.device_on && !line.assisted) || measure.series[0];
  const points = one.points.filter((point) => numeric(point.value));
  if (!points.length) return t("person.no_value", { condition: helpWords(t, one) });
  const [first, last] = [points[0], points[points.length - 1]];
  const words = { condition: helpWords(t, one), first: short(first.value), last: short(last.value), at: measure.visits[first.visit] };
  return t(first.visit === last.visit ? "person.one_value" : "person.two_values", words);
}

/** One picture with its name, its scale, the direction of better and its sentence. */
export function multiple(t, measure, width) {
  const range = numeric(measure.high) && measure.high < 1e4 ? t("person.of", { low: short(measure.low), high: short(measure.high), unit: measure.unit }) : measure.unit;
  const better = measure.direction ? t(`person.better.${measure.direction}`) : "";
  return h("div", { class: "multiple" },
    h("h3", { title: t(`title.${measure.measure}`, {}, measure.title) }, nameOf(t, measure), h("span", { class: "xs sub" }, [range.trim(), better].filter(Boolean).join(" · "))),
    h("p", { class: "xs sub" }, sentence(t, measure)), plot(t, measure, width), measure.recovery ? h("p", { class: "xs sub recoverywords" }, recoveryWords(t, measure)) : null);
}
