// The decoder on held-out data: evidence around the cue, onsets and false starts with their limits.
import { h, named } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
const draw = (name, attributes) => {
  const el = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) el.setAttribute(key, value);
  return el;
};
const pct = (share) => `${(100 * share).toFixed(2)}%`;
const known = (value) => value !== null && value !== undefined;

/** Points of a course as runs of neighbours; missing values leave a hole. */
function runsOf(times, ...rows) {
  const runs = [];
  let open = null;
  times.forEach((time, i) => {
    if (rows.some((row) => !known(row[i]))) { open = null; return; }
    if (!open) runs.push((open = []));
    open.push([time, ...rows.map((row) => row[i])]);
  });
  return runs;
}

/** Mean evidence of each class around its cue, its interval as a band, the thresholds as lines. */
export function evidencePlot(t, found) {
  const { times_s: times, evidence, thresholds, target, shown_s: shown } = found;
  const names = Object.keys(evidence).sort((one, other) => (other === target) - (one === target));
  const [first, last] = times.length > 1 ? [times[0], times[times.length - 1]] : [times[0] - 1, times[0] + 1];
  const x = (s) => (s - first) / (last - first);
  const svg = draw("svg", { viewBox: "0 0 1 1", preserveAspectRatio: "none", "aria-hidden": "true" });
  svg.append(draw("rect", { class: "cueband", x: Math.max(0, x(0)), y: 0, width: Math.min(1, x(shown)) - Math.max(0, x(0)), height: 1 }));
  const labels = [];
  for (const [name, p] of Object.entries(thresholds || {})) {
    svg.append(draw("line", { class: `level ${name}`, x1: 0, x2: 1, y1: 1 - p, y2: 1 - p }));
    labels.push(h("span", { class: "xs lvl", style: `top:${pct(1 - p)}` }, t(`decoder.threshold.${name}`, { p: p.toFixed(2) })));
  }
  names.forEach((name, k) => {
    const { mean, low, high } = evidence[name];
    const kind = k ? "other" : "target";
    for (const run of runsOf(times, low, high)) {
      const edge = [...run.map(([s, from]) => [s, from]), ...run.map(([s, , to]) => [s, to]).reverse()];
      svg.append(draw("polygon", { class: `band ${kind}`, points: edge.map(([s, p]) => `${x(s)},${1 - p}`).join(" ") }));
    }
    for (const run of runsOf(times, mean)) svg.append(draw("polyline", { class: `mean ${kind}`, points: run.map(([s, p]) => `${x(s)},${1 - p}`).join(" ") }));
    if (times.length === 1 && known(mean[0])) labels.push(h("i", { class: `dot ${kind}`, style: `left:${pct(x(times[0]))};top:${pct(1 - mean[0])}` }));
  });
  const legend = names.map((name, k) => h("span", { class: `key ${k ? "other" : "target"}` }, h("i"), t("decoder.evidence_n", { condition: named(t, "cue", name), n: evidence[name].n })));
  const seconds = Array.from({ length: Math.floor(last) - Math.ceil(first) + 1 }, (_, i) => Math.ceil(first) + i);
  const peak = (name) => evidence[name].mean.filter(known).reduce((most, p) => Math.max(most, p), 0).toFixed(2);
  const words = names.map((name) => t("decoder.evidence_peak", { condition: named(t, "cue", name), n: evidence[name].n, p: peak(name) })).join("; ");
  return h("div", { class: "evplot" }, h("div", { class: "keys xs" }, legend),
    h("div", { class: "frame" }, h("div", { class: "ys xs mute" }, [1, 0.5, 0].map((p) => h("span", { style: `top:${pct(1 - p)}` }, p))),
      h("div", { class: "area", role: "img", "aria-label": t("decoder.evidence_label", { target: named(t, "cue", target), all: words }) }, svg, labels)),
    h("div", { class: "xsx xs mute" }, seconds.map((s) => h("span", { style: `left:${pct(x(s))}` }, String(s).replace("-", "−")))),
    h("div", { class: "xs mute axisname" }, t("decoder.evidence_axis")));
}

/** Each onset as a dot on an axis with the limit; missed attempts are listed beyond it. */
function onsetRow(t, events) {
  const limit = events.onset_limit_s;
  const most = 1.35 * limit;
  const stacks = new Map();
  const dots = [...events.onsets_s].sort((a, b) => a - b).map((s) => {
    const bin = Math.round((40 * s) / most);
    const height = stacks.get(bin) || 0;
    stacks.set(bin, height + 1);
    return [s, height];
  });
  const tall = Math.max(3, ...stacks.values());
  const onset = events.onset;
  return h("div", { class: "lim" }, h("span", { class: "s med" }, t("decoder.onset_row")),
    h("div", { class: "strip2", role: "img", "aria-label": t("decoder.onset_label", { n: events.hits, all: events.n, median: onset ? onset.median.toFixed(2) : "—", limit, missed: events.missed }) },
      h("div", { class: "beyond", style: `left:${pct(limit / most)}` }), h("i", { class: "limit", style: `left:${pct(limit / most)}` }),
      onset ? h("i", { class: "median", style: `left:${pct(onset.median / most)}` }) : null,
      dots.map(([s, height]) => h("i", { class: "pt", style: `left:${pct(s / most)};bottom:${((100 * height) / tall).toFixed(1)}%` })),
      events.missed ? h("span", { class: "xs missed" }, t("decoder.onset_missed", { n: events.missed })) : null),
    h("span", { class: "xs sub" }, onset ? t("decoder.onset_value", { median: onset.median.toFixed(2), low: onset.low.toFixed(2), high: onset.high.toFixed(2), limit }) : t("decoder.onset_none", { limit })));
}

/** False starts per minute with their interval, against the limit. */
function falseRow(t, events, limit) {
  const [low, high] = events.false_interval || [null, null];
  const most = Math.max(1.5 * limit, events.false_per_min || 0, Math.min(high || 0, 3 * limit));
  const at = (rate) => pct(Math.min(1, rate / most));
  const rate = events.false_per_min;
  return h("div", { class: "lim" }, h("span", { class: "s med" }, t("decoder.false_row")),
    h("div", { class: "track", role: "img", "aria-label": t("decoder.false_label", { rate: known(rate) ? rate.toFixed(2) : "—", limit }) },
      h("div", { class: "beyond", style: `left:${at(limit)}` }), h("i", { class: "limit", style: `left:${at(limit)}` }),
      known(low) ? h("i", { class: "span", style: `left:${at(low)};width:${pct(Math.min(1, high / most) - low / most)}` }) : null,
      known(rate) ? h("i", { class: "point", style: `left:${at(rate)}` }) : null),
    h("span", { class: "xs sub" }, known(rate) ? t("decoder.false_value", { n: events.false, min: (events.rest_s / 60).toFixed(1), rate: rate.toFixed(2), low: low.toFixed(2), high: high.toFixed(2), limit }) : t("decoder.false_none", { limit })));
}

export function eventRows(t, events, falseLimit) {
  return [onsetRow(t, events), falseRow(t, events, falseLimit)];
}

/** The two figures of the title: median onset, and false starts per minute. */
export function eventNumbers(t, events, falseLimit) {
  const rate = events.false_per_min;
  return [
    h("div", {}, h("b", {}, events.onset ? `${events.onset.median.toFixed(2)} s` : "—"), h("span", {}, t("decoder.n.onset", { limit: events.onset_limit_s }))),
    h("div", {}, h("b", {}, known(rate) ? rate.toFixed(2) : "—"), h("span", {}, t("decoder.n.false", { limit: falseLimit }))),
  ];
}
