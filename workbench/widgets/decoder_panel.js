// The verdict is the title; the matrices and the intervals prove it; the right column decides.
import { button, followLanguage, followTheme, h, knows, named, put, request, show } from "./parts/dom.js";
import { light } from "./parts/icons.js";

const percent = (value, digits = 0) => (value === null || value === undefined ? "—" : `${(100 * value).toFixed(digits)} %`);

function matrixName(t, one, row) {
  return one.part ? t(`decoder.${one.part}`, { n: one.name }) : one.name || (row || {}).run || t("decoder.pooled");
}

const shade = (share) => (share > 0.625 ? 4 : share > 0.375 ? 2 : share > 0.125 ? 1 : 0);

function confusionMatrix(t, one, label) {
  const cell = (n, share) => h("div", { class: "c", style: `background:var(--seq-${shade(share)});color:var(${shade(share) === 4 ? "--on-strong" : "--ink"})` },
    h("b", {}, n), h("i", {}, percent(share)));
  const rows = one.labels.map((name, i) => [h("span", { class: "rh" }, named(t, "cue", name)), one.counts[i].map((n, j) => cell(n, one.shares[i][j]))]);
  return h("div", { class: "cm", style: `grid-template-columns:56px repeat(${one.columns.length},minmax(44px,1fr))` },
    h("div", { class: "t" }, h("b", { class: "semi" }, label), h("span", { class: "xs mute" }, t("decoder.right", { n: one.right, all: one.n }))),
    h("span"), one.columns.map((name) => h("span", { class: "ch" }, name ? named(t, "cue", name) : t("decoder.undecided"))), rows);
}

/** Accuracy with its interval against the chance limit, one row a run, on one axis from 0 to 100 %. */
function accuracyRows(t, rows) {
  const at = (value) => `${(100 * value).toFixed(2)}%`;
  return rows.map((one) => h("div", { class: "acc" }, h("span", { class: "s med" }, one.run || t("decoder.pooled")),
    h("div", { class: "track", role: "img", "aria-label": t("decoder.row", { run: one.run || t("decoder.pooled"), correct: one.correct, n: one.n, limit: one.limit ?? "—" }) },
      one.limit !== null && one.n ? h("div", { class: "zone", style: `width:${at(one.limit / one.n)}` }) : null,
      h("i", { class: "guess", style: `left:${at(1 / one.classes)}` }),
      one.low !== null ? h("i", { class: "span", style: `left:${at(one.low)};width:${at(one.high - one.low)}` }) : null,
      one.value !== null ? h("i", { class: "point", style: `left:${at(one.value)}` }) : null),
    h("span", { class: "xs sub" }, one.value === null ? t("decoder.none") : t("decoder.accuracy_row", { correct: one.correct, n: one.n, p: percent(one.value), low: percent(one.low), high: percent(one.high), limit: one.limit ?? "—" }))));
}

function grouped(sha) {
  return (sha.match(/.{1,4}/g) || []).join(" ");
}

/** What approval covers of a decoder that adapts: the rule, and how far it may go. */
function adaptation(t, { rule, bound }) {
  const far = t(`adapt.bound.${rule}`, { bound }, bound);
  return h("div", { class: "s adapts", "data-name": "adapts" }, h("b", { class: "semi" }, t("decoder.adapts", { rule: named(t, "adapt", rule) })),
    h("div", { class: "sub" }, t("decoder.adapts_bound", { bound: far })), h("div", { class: "xs sub" }, t("decoder.adapts_covered")));
}

function buildDecoder(root, model, t) {
  const fit = model.get("fit");
  const adapts = model.get("adapts") || {};
  const rows = fit.accuracies || [];
  const pooled = rows[rows.length - 1];
  const short = grouped(fit.sha256.slice(0, 8));
  const problem = h("div", { class: "fielderror", role: "alert", hidden: true });
  const done = h("div", { class: "s", role: "status" });
  const approve = button(t("decoder.approve", { hash: short }), () => {
    approve.disabled = true;
    request(model, "approve", { sha256: fit.sha256 }, 30).then((reply) => {
      put(problem, reply.ok ? "" : reply.silent ? t("ask.silent") : t.said(reply.text));
      show(problem, !reply.ok);
      draw();
    });
  }, { kind: "pri", name: "approve" });
  const why = h("div", { class: "xs sub" });
  const blocked = fit.blocked ? (knows(fit.blocked) ? t(fit.blocked) : fit.blocked) : "";

  function draw() {
    const approved = model.get("approved");
    approve.disabled = Boolean(approved || blocked || !fit.can_approve);
    show(approve, !approved);
    put(why, approved ? "" : blocked ? t("decoder.blocked", { why: blocked }) : fit.can_approve ? "" : t("decoder.cannot"));
    done.replaceChildren(...(approved ? [light("ok", t.said(approved))] : []));
  }
  const verdict = !pooled || pooled.value === null ? t("decoder.no_result") : pooled.above ? t(rows.length === 1 ? "decoder.verdict.one" : rows.every((one) => one.above) ? "decoder.verdict.all" : "decoder.verdict.pooled") : t("decoder.verdict.no");
  const signing = fit.signing || {};
  const numbers = (fit.numbers || []).map(([value, caption]) => h("div", {}, h("b", {}, value), h("span", {}, caption)));
  if (pooled && pooled.value !== null) {
    numbers.unshift(h("div", {}, h("b", {}, percent(pooled.value)), h("span", {}, t("decoder.accuracy", { correct: pooled.correct, n: pooled.n, limit: pooled.limit ?? "—" }))));
  }
  const checks = (fit.checks || []).map((one) => h("li", {}, light(one.state), h("span", {}, one.text, one.more ? h("small", {}, one.more) : null)));
  root.append(h("div", { class: "decoder" },
    h("section", { class: "verdict" }, h("div", {}, h("h1", {}, verdict), h("p", { class: "sub" }, fit.validation ? t("decoder.how_named", { how: t.said(fit.validation) }) : t("decoder.how"))), h("div", { class: "nums" }, numbers)),
    h("section", { class: "cols" },
      h("div", { class: "col" },
        h("div", { class: "panel" }, h("div", { class: "hd" }, h("h2", {}, t((fit.confusions || []).some((one) => one.part === "part") ? "decoder.confusion_parts" : "decoder.confusion")), h("span", { class: "s mute" }, t("decoder.confusion_how"))),
          h("div", { class: "bd cms" }, (fit.confusions || []).length ? fit.confusions.map((one, i) => confusionMatrix(t, one, matrixName(t, one, rows[i]))) : h("div", { class: "empty" }, t("decoder.empty")))),
        h("div", { class: "panel" }, h("div", { class: "hd" }, h("h2", {}, t("decoder.against"))),
          h("div", { class: "bd" }, rows.length ? [accuracyRows(t, rows), h("div", { class: "axis xs mute" }, [0, 25, 50, 75, 100].map((n) => h("span", { style: `left:${n}%` }, n))), h("div", { class: "xs mute axisname" }, t("decoder.axis"))] : h("div", { class: "empty" }, t("decoder.empty"))))),
      h("div", { class: "panel" }, h("div", { class: "hd" }, h("h2", {}, t("decoder.approve_title"))),
        h("div", { class: "bd stack" }, checks.length ? h("ul", { class: "chk" }, checks) : null,
          h("div", { class: "s sub" }, t("decoder.hash")), h("div", { class: "hash" }, h("b", {}, grouped(fit.sha256.slice(0, 8))), ` ${grouped(fit.sha256.slice(8))}`),
          adapts.rule ? adaptation(t, adapts) : null,
          fit.fitted_on ? h("div", { class: "xs sub" }, fit.fitted_on) : null,
          signing.signer ? h("p", { class: "s" }, t("decoder.signing", { signer: signing.signer, effector: signing.effector || t("decoder.no_effector"), participant: signing.participant || "—" })) : null,
          problem, approve, why, done)))));
  model.on("change:approved", draw);
  draw();
  return () => model.off("change:approved", draw);
}

function render({ model, el }) {
  const root = h("div", { class: "wb wb-panel" });
  el.append(root);
  const stops = [followTheme(root, model), followLanguage(root, model, (host, t) => buildDecoder(host, model, t))];
  return () => stops.forEach((stop) => stop());
}

export default { render };
