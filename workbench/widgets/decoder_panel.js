// The verdict is the title; checks are on the left, their proof in the middle, the decision on the right.
import { button, followLanguage, followTheme, h, knows, named, put, request, show } from "./parts/dom.js";
import { light } from "./parts/icons.js";
import { eventNumbers, eventRows, evidencePlot } from "./parts/heldout.js";
import { accuracyRows, byRun, comparedRows, confusionMatrix, percent, pooledMatrix, weightRows } from "./parts/proof.js";
import { passwordField } from "./parts/signin.js";

const LAMP = { pass: "ok", warn: "medium", fail: "high" };

function grouped(sha) {
  return (sha.match(/.{1,4}/g) || []).join(" ");
}

/** What approval of an adaptive decoder covers: the rule, and how far it may adapt. */
function adaptation(t, { rule, bound }) {
  const far = t(`adapt.bound.${rule}`, { bound }, bound);
  return h("div", { class: "s adapts", "data-name": "adapts" }, h("b", { class: "semi" }, t("decoder.adapts", { rule: named(t, "adapt", rule) })),
    h("div", { class: "sub" }, t("decoder.adapts_bound", { bound: far })), h("div", { class: "xs sub" }, t("decoder.adapts_covered")));
}

/** Approve or reject: reason, password, and the one button that signs; Enter signs only there, never in a field. */
function decisionPanel(t, model, fit, blocked) {
  const signing = fit.signing || {};
  const short = grouped(fit.sha256.slice(0, 8));
  const warned = (fit.checks || []).some((one) => one.state === "warn");
  let choice = blocked ? "reject" : "approve";
  const problem = h("div", { class: "fielderror", role: "alert", "data-name": "decision-problem" });
  const pick = (name) => h("button", { type: "button", "data-name": `choose-${name}`, onclick: () => { choice = name; draw(); } }, t(`decoder.choice.${name}`));
  const [approve, reject] = [pick("approve"), pick("reject")];
  const group = h("div", { class: "seg wide", role: "group", "aria-label": t("decoder.decide"), onkeydown: (event) => {
    const next = { ArrowLeft: approve, ArrowRight: reject }[event.key];
    if (next) { event.preventDefault(); next.focus(); next.click(); }
  } }, approve, reject);
  const reason = h("textarea", { class: "field area", rows: 3, "aria-label": t("decoder.reason"), "data-name": "reason", oninput: () => draw() });
  const reasonBox = h("label", { class: "stacked" }, h("span", { class: "xs sub" }, t("decoder.reason")), reason);
  const password = passwordField(t("decoder.password", { name: signing.signer || "" }), "password");
  password.input.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
  const statement = h("p", { class: "s" });
  const why = h("div", { class: "xs sub", role: "status" });
  const act = (name, words) => ((fit.actions || []).includes(name) ? button(words, (event) => {
    event.currentTarget.disabled = true;
    request(model, name, { sha256: fit.sha256 }, 60).then((reply) => put(problem, reply.ok ? "" : reply.silent ? t("ask.silent") : t.said(reply, "text")));
  }, { name: `act-${name}` }) : null);
  const sign = button("", () => {
    sign.disabled = true;
    // take() empties the field: the password is in memory only until it is posted.
    const secret = signing.password ? password.take() : "";
    request(model, "decide", { sha256: fit.sha256, decision: choice, reason: reason.value, password: secret }, 60).then((reply) => {
      put(problem, reply.ok ? "" : reply.silent ? t("ask.silent") : t.said(reply, "text"));
      draw();
    });
  }, { kind: "pri", name: "sign" });
  const done = h("div", { class: "s stack", role: "status", "data-name": "decision" });
  const form = h("div", { class: "stack" }, group, h("div", { class: "hash" }, h("b", {}, short), ` ${grouped(fit.sha256.slice(8))}`), reasonBox, statement, signing.password ? password.el : null, problem, sign, why,
    act("another", t("decoder.act.another")), act("recentre", t("decoder.act.recentre", { hash: signing.replaces || "" })), h("div", { class: "xs mute" }, t("decoder.valid")));
  function draw() {
    const decision = model.get("decision") || {};
    const decided = Boolean(decision.decision);
    show(form, !decided && fit.can_decide);
    for (const [name, one] of [["approve", approve], ["reject", reject]]) {
      one.className = name === choice ? "on" : "";
      one.setAttribute("aria-pressed", String(name === choice));
    }
    approve.disabled = Boolean(blocked);
    const needsReason = choice === "reject" || warned;
    show(reasonBox, needsReason);
    const lacking = choice === "approve" && blocked ? t("decoder.blocked", { why: blocked }) : needsReason && !reason.value.trim() ? t("decoder.needs_reason") : "";
    sign.disabled = Boolean(lacking);
    put(sign, t(`decoder.sign.${choice}`, { hash: short }));
    put(why, lacking || (blocked ? t("decoder.blocked", { why: blocked }) : ""));
    put(statement, t(`decoder.statement.${choice}`, { signer: signing.signer || "—", effector: t.said(signing, "effector") || t("decoder.no_effector"), participant: signing.participant || "—", system: t.said(signing, "system") ? t("decoder.in_system", { system: t.said(signing, "system") }) : "", replaces: signing.replaces ? t("decoder.replaces", { hash: signing.replaces }) : "" }));
    done.replaceChildren(...(decided ? [light(decision.decision === "approve" ? "ok" : "off", t(`decoder.decided.${decision.decision}`, { by: decision.by || "—", at: decision.at || "—" })), decision.reason ? h("div", { class: "xs sub" }, `“${decision.reason}”`) : null].filter(Boolean)
      : fit.can_decide ? [] : [h("span", { class: "sub" }, t("decoder.cannot"))]));
  }
  return { el: h("div", { class: "panel decide" }, h("div", { class: "hd" }, h("h2", {}, t("decoder.decide")), h("span", { class: "rt" }, signing.participant || "")), h("div", { class: "bd stack" }, done, form)), draw };
}

function checkList(t, fit) {
  // What has to be equal has no limit; where it is not, the sentence below says what was expected.
  const beside = (one) => (["file", "participant", "system"].includes(one.name) || !one.limit ? "" : t(one.name === "compared" ? "decoder.last_had" : "decoder.limit", { limit: t.said(one, "limit") }));
  const limits = (one) => [t.said(one, "value"), beside(one)].filter(Boolean).join(t("decoder.then"));
  return (fit.checks || []).map((one) => h("li", {}, light(LAMP[one.state] || "off"), h("span", {}, knows(`check.${one.name}`) ? t(`check.${one.name}`) : t.said(one, "text") || one.name, h("small", {}, limits(one)), one.state !== "pass" && one.text ? h("small", { class: "bad" }, t.said(one, "text")) : null)));
}

function verdictOf(t, fit, rows, blocked) {
  const pooled = rows[rows.length - 1];
  const checks = fit.checks || [];
  if (!pooled || pooled.value === null) return t("decoder.no_result");
  if (!pooled.above) return t("decoder.verdict.no");
  if (blocked) return t("decoder.verdict.blocked", { why: blocked });
  const warn = checks.filter((one) => one.state === "warn").length;
  if (checks.length) return t(warn ? "decoder.verdict.checks_warn" : "decoder.verdict.checks", { n: checks.length - warn, warn });
  return t(rows.length === 1 ? "decoder.verdict.one" : rows.every((one) => one.above) ? "decoder.verdict.all" : "decoder.verdict.pooled");
}

function buildDecoder(root, model, t) {
  const fit = model.get("fit");
  const adapts = model.get("adapts") || {};
  const rows = fit.accuracies || [];
  const pooled = rows[rows.length - 1];
  const blocked = t.said(fit, "blocked");
  const numbers = (fit.numbers || []).map(([value, caption]) => h("div", {}, h("b", {}, value), h("span", {}, caption)));
  if (pooled && pooled.value !== null) {
    numbers.unshift(h("div", {}, h("b", {}, percent(pooled.value)), h("span", {}, t("decoder.accuracy", { correct: pooled.correct, n: pooled.n, limit: pooled.limit ?? "—" }))));
  }
  const heldOut = fit.held_out || {};
  if (heldOut.events) numbers.push(...eventNumbers(t, heldOut.events, fit.false_limit));
  const decide = decisionPanel(t, model, fit, blocked);
  const checks = checkList(t, fit);
  const panel = (title, how, ...body) => h("div", { class: "panel" }, h("div", { class: "hd" }, h("h2", {}, title), how ? h("span", { class: "s mute" }, how) : null), h("div", { class: "bd" }, body));
  const weights = fit.weights && fit.weights.values ? panel(t("decoder.reads"), fit.weights.target ? t("decoder.reads_for", { target: named(t, "cue", fit.weights.target) }) : t("decoder.reads_how"), weightRows(t, fit.weights)) : null;
  const evidence = heldOut.evidence ? panel(t("decoder.evidence"), t("decoder.evidence_how"), evidencePlot(t, heldOut)) : null;
  const matrices = fit.confusions || [];
  const confusion = panel(t("decoder.confusion"), t("decoder.confusion_how"), matrices.length ? [h("div", { class: "cms" }, confusionMatrix(t, pooledMatrix(matrices), t("decoder.pooled"))), matrices.length > 1 ? h("div", { class: "xs sub byrun" }, byRun(t, matrices)) : null] : h("div", { class: "empty" }, t("decoder.empty")));
  const against = panel(t("decoder.against"), "", rows.length ? [accuracyRows(t, rows), h("div", { class: "axis xs mute" }, [0, 25, 50, 75, 100].map((n) => h("span", { style: `left:${n}%` }, n))), h("div", { class: "xs mute axisname" }, t("decoder.axis"))] : h("div", { class: "empty" }, t("decoder.empty")), heldOut.events ? [h("div", { class: "hr" }), eventRows(t, heldOut.events, fit.false_limit)] : null);
  const beside = fit.compared && fit.compared.sha256 ? panel(t("decoder.beside", { hash: grouped(fit.compared.sha256.slice(0, 8)) }), "", comparedRows(t, fit.compared, pooled ? pooled.classes : 2)) : null;
  const others = (fit.others || []).map((one) => h("li", {}, light(one.state), h("span", {}, h("span", { class: "ofage" }, h("b", { class: "mono" }, one.hash), h("small", {}, t.said(one, "age"))), h("small", {}, t.said(one, "text")))));
  root.append(h("section", { class: "decoder", "aria-label": t("decoder.approve_title") },
    h("div", { class: "verdict" }, h("div", {}, h("h1", {}, verdictOf(t, fit, rows, blocked)), h("p", { class: "sub" }, fit.validation ? t("decoder.how_named", { how: t.said(fit, "validation") }) : t("decoder.how"))), h("div", { class: "nums" }, numbers)),
    h("div", { class: `cols ${checks.length ? "three" : ""}` },
      checks.length ? h("div", { class: "col" }, panel(t("decoder.checks"), "", h("ul", { class: "chk" }, checks)), others.length ? panel(t("decoder.others"), "", h("ul", { class: "chk" }, others)) : null) : null,
      h("div", { class: "middle" }, h("div", { class: "col" }, evidence, weights), h("div", { class: "col" }, confusion, against, beside)),
      h("div", { class: "col" }, decide.el, adapts.rule ? panel(t("decoder.adapting"), "", adaptation(t, adapts)) : null, fit.fitted_on ? h("div", { class: "xs sub" }, t.said(fit, "fitted_on")) : null))));
  model.on("change:decision", decide.draw);
  decide.draw();
  return () => model.off("change:decision", decide.draw);
}

function render({ model, el }) {
  const root = h("div", { class: "wb wb-panel wb-page" });
  el.append(root);
  const stops = [followTheme(root, model), followLanguage(root, model, (host, t) => buildDecoder(host, model, t))];
  return () => stops.forEach((stop) => stop());
}

export default { render };
