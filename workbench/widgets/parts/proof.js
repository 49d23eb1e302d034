// The proof beside the checks of a fit: confusion matrices, accuracy against the chance limit, where the decoder reads.
import { h, named } from "./dom.js";

export const percent = (value, digits = 0) => (value === null || value === undefined ? "—" : `${(100 * value).toFixed(digits)} %`);

/** One matrix of all runs or parts: counts added, shares of the rows computed again. */
export function pooledMatrix(matrices) {
  const widest = matrices.reduce((most, one) => (one.columns.length > most.columns.length ? one : most));
  const counts = widest.labels.map((_, i) => widest.columns.map((_name, j) => matrices.reduce((sum, one) => sum + (one.counts[i][j] || 0), 0)));
  const shares = counts.map((row) => { const all = row.reduce((sum, n) => sum + n, 0); return row.map((n) => (all ? n / all : null)); });
  const sum = (key) => matrices.reduce((all, one) => all + one[key], 0);
  return { ...widest, counts, shares, right: sum("right"), n: sum("n") };
}

/** "Run 1: 36 of 40 right · Run 2: …": the result of each run or part. */
export function byRun(t, matrices) {
  return matrices.map((one) => t("decoder.by_run", { run: one.part ? t(`decoder.${one.part}`, { n: one.name }) : one.name, n: one.right, all: one.n })).join(" · ");
}

const shade = (share) => (share > 0.625 ? 4 : share > 0.375 ? 2 : share > 0.125 ? 1 : 0);

export function confusionMatrix(t, one, label) {
  const cell = (n, share) => h("div", { class: "c", style: `background:var(--seq-${shade(share)});color:var(${shade(share) === 4 ? "--on-strong" : "--ink"})` },
    h("b", {}, n), h("i", {}, percent(share)));
  const rows = one.labels.map((name, i) => [h("span", { class: "rh" }, named(t, "cue", name)), one.counts[i].map((n, j) => cell(n, one.shares[i][j]))]);
  return h("div", { class: "cm", style: `grid-template-columns:56px repeat(${one.columns.length},minmax(44px,1fr))` },
    h("div", { class: "t" }, h("b", { class: "semi" }, label), h("span", { class: "xs mute" }, t("decoder.right", { n: one.right, all: one.n }))),
    h("span"), one.columns.map((name) => h("span", { class: "ch" }, name ? named(t, "cue", name) : t("decoder.undecided"))), rows);
}

/** Accuracy with its interval against the chance limit, one row per run, on one axis from 0 to 100 %. */
export function accuracyRows(t, rows) {
  const at = (value) => `${(100 * value).toFixed(2)}%`;
  return rows.map((one) => h("div", { class: "acc" }, h("span", { class: "s med" }, one.run || t("decoder.pooled")),
    h("div", { class: "track", role: "img", "aria-label": t("decoder.row", { run: one.run || t("decoder.pooled"), correct: one.correct, n: one.n, limit: one.limit ?? "—" }) },
      one.limit !== null && one.n ? h("div", { class: "zone", style: `width:${at(one.limit / one.n)}` }) : null,
      h("i", { class: "guess", style: `left:${at(1 / one.classes)}` }),
      one.low !== null ? h("i", { class: "span", style: `left:${at(one.low)};width:${at(one.high - one.low)}` }) : null,
      one.value !== null ? h("i", { class: "point", style: `left:${at(one.value)}` }) : null),
    h("span", { class: "xs sub" }, one.value === null ? t("decoder.none") : t("decoder.accuracy_row", { correct: one.correct, n: one.n, p: percent(one.value), low: percent(one.low), high: percent(one.high), limit: one.limit ?? "—" }))));
}

/** Weights as discs, one row per band: size is magnitude, the sign is inside. Nothing is drawn between electrodes. */
export function weightRows(t, weights) {
  const { bands, derivations, values } = weights;
  const most = Math.max(...values.flat().map(Math.abs), 1e-12);
  const name = (one) => one.map((i) => i + 1).join("−");
  return h("div", { class: "reads" }, bands.map((band, b) => h("div", { class: "weights" }, h("span", { class: "xs sub" }, t("decoder.band", { low: band[0], high: band[1] })),
    h("div", { class: "discs", role: "img", "aria-label": t("decoder.band_label", { low: band[0], high: band[1], all: values[b].map((v, i) => `${name(derivations[i])} ${(v / most).toFixed(1)}`).join(", ") }) },
      values[b].map((v, i) => h("span", { class: `disc ${v < 0 ? "neg" : "pos"}`, title: `${name(derivations[i])}: ${(v / most).toFixed(2)}` },
        h("i", { style: `width:${(8 + 20 * Math.abs(v) / most).toFixed(0)}px;height:${(8 + 20 * Math.abs(v) / most).toFixed(0)}px` }, Math.abs(v) > 0.25 * most ? (v < 0 ? "−" : "+") : ""), h("small", {}, name(derivations[i]))))))));
}
