// The proof beside the checks of a fit: confusion matrices, accuracy against the chance limit, where the decoder reads.
import { h, named } from "./dom.js";
import { headMap } from "./head.js";

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
    h("span", { class: "xs sub" }, one.value === null ? t("decoder.none") : t(one.limit === null ? "decoder.accuracy_plain" : "decoder.accuracy_row", { correct: one.correct, n: one.n, p: percent(one.value), low: percent(one.low), high: percent(one.high), limit: one.limit ?? "—" }))));
}

/** Both decoders on the same trials: the verdict in words, and two rows on one axis. */
export function comparedRows(t, compared, classes) {
  if (compared.why) return h("div", { class: "s sub" }, t("decoder.not_compared", { why: t.said(compared, "why") }));
  const row = (run, correct, [low, high]) => ({ run, correct, n: compared.n, value: correct / compared.n, low, high, limit: null, classes });
  const words = { better: "better", worse: "worse" }[compared.verdict] || "same";
  return [h("p", { class: "s", "data-name": "compared" }, h("b", { class: "semi" }, t(`decoder.compared.${words}`)), " ", t("decoder.compared_on", { n: compared.n, only: compared.only_new, last: compared.only_last, p: compared.p.toFixed(3) })),
    accuracyRows(t, [row(t("decoder.this_one"), compared.correct, compared.interval), row(t("decoder.last_one"), compared.last_correct, compared.last_interval)])];
}

/** Weights where the electrodes sit, a head a band: size is magnitude, the sign is inside. Nothing is drawn between them. */
export function weightRows(t, weights) {
  const { bands, derivations, values, channels } = weights;
  const most = Math.max(...values.flat().map(Math.abs), 1e-12);
  const names = derivations.map((one) => one.map((i) => (channels ? channels[i] : i + 1)).join("−"));
  const signed = (v) => (v / most).toFixed(1).replace("-", "−");
  return h("div", { class: "reads" }, bands.map((band, b) => {
    const strongest = names.map((name, i) => [name, values[b][i]]).sort((one, other) => Math.abs(other[1]) - Math.abs(one[1])).slice(0, 3);
    const entries = names.map((name, i) => {
      const size = 6 + (16 * Math.abs(values[b][i])) / most;
      return { name, title: `${name}: ${signed(values[b][i])}`, mark: h("i", { class: `disc ${values[b][i] < 0 ? "neg" : "pos"}`, style: `width:${size.toFixed(0)}px;height:${size.toFixed(0)}px` }, Math.abs(values[b][i]) > 0.4 * most ? (values[b][i] < 0 ? "−" : "+") : "") };
    });
    return h("div", { class: "weights" }, h("b", { class: "s semi" }, t("decoder.band", { low: band[0], high: band[1] })),
      headMap(entries, t("decoder.band_label", { low: band[0], high: band[1], all: names.map((name, i) => `${name} ${signed(values[b][i])}`).join(", ") })),
      h("div", { class: "xs sub" }, strongest.map(([name, v]) => `${name} ${signed(v)}`).join(" · ")));
  }));
}
