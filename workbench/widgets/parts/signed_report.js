// The report of the results that are shown: written, read, and signed by two people one after the other.
import { button, h, put, request, show, whenChanged } from "./dom.js";
import { light } from "./icons.js";
import { sheet, when } from "./entry.js";
import { field, selection } from "./signed.js";
import { passwordField } from "./signin.js";

const REPORT_ROLES = ["investigator", "statistician"];

/** Minutes and seconds that are left, or nothing while nobody can tell. */
function timeLeft(t, seconds) {
  if (seconds === null || seconds === undefined) return "";
  return seconds < 90 ? t("results.report.left_s", { n: Math.max(1, Math.round(seconds)) }) : t("results.report.left_min", { n: Math.round(seconds / 60) });
}

/** Who signs as whom; it stays open until the signature stands in the report, or says why it does not. */
function signReportSheet(ctx) {
  const { t, model } = ctx;
  const { signing, login: here } = model.get("page");
  const report = model.get("report");
  sheet(ctx, t("results.report.sign_title"), (box, close) => {
    const role = selection(t("results.report.as"), "sign-role", report.missing.map((one) => [one, t(`results.report.meaning.${one}`)]));
    const login = field(t("sign.login"), "sign-login", { autocomplete: "username", value: here || "" });
    const password = passwordField(t("sign.password"), "sign-password");
    const problem = h("div", { class: "fielderror", role: "alert", "data-name": "sheet-problem" });
    const why = h("div", { class: "xs sub", role: "status", "data-name": "sign-waits" });
    const asked = signing === "password";
    let sent = false;
    const lacking = () => (signing === "nobody" ? t("person.signing.nobody") : asked && !login.value() ? t("results.report.needs_login") : asked && !password.input.value ? t("results.report.needs_password") : "");
    const ready = () => { const words = sent ? t("results.report.signing") : lacking(); put(why, words); send.disabled = Boolean(words); };
    const told = (words) => { sent = false; put(problem, words); ready(); if (asked) password.input.focus(); };
    const send = button(t("results.report.sign_now"), () => {
      const given = asked ? { login: login.value(), password: password.take() } : {};
      sent = true;
      put(problem, "");
      ready();
      request(model, "sign", { sha256: report.draft, role: role.value(), ...given }, 60).then((reply) => { if (!reply.ok) told(reply.silent ? t("study.silent") : t.said(reply, "text")); });
    }, { kind: "pri", name: "sheet-send" });
    const ended = () => {
      const work = model.get("work");
      if (!sent || work.of || work.kind !== "sign") return;
      if (work.fault) told(t.said(work, "fault")); else close();
    };
    box.addEventListener("input", () => { put(problem, ""); ready(); });
    box.addEventListener("close", () => { password.take(); model.off("change:work", ended); });
    model.on("change:work", ended);
    box.append(h("p", { class: "s" }, t("results.report.binds", { hash: report.draft.slice(0, 12) })), role.el, asked ? h("div", { class: "pair" }, login.el, password.el) : h("p", { class: "s" }, t(`results.report.by.${signing}`)), problem, why,
      h("div", { class: "row wrap end" }, button(t("sign.cancel"), close, { name: "sheet-cancel" }), send));
    role.input.setAttribute("autofocus", "");
    ready();
  }, "sign-sheet");
}

/** The panel of the report; hidden until something that may be reported is shown. */
export function signedReportPanel(ctx) {
  const { t, model } = ctx;
  const write = button(t("results.report.write"), () => ctx.ask("write"), { name: "write-report" });
  const read = button(t("results.report.read"), () => ctx.ask("read_report").then((reply) => {
    if (!reply.ok) return;
    // The text of the file itself: the page's server hands out no files. It loads nothing and runs nothing.
    const address = URL.createObjectURL(new Blob([reply.value], { type: "text/html" }));
    h("a", { href: address, target: "_blank", rel: "noopener" }).click();
  }), { name: "read-report" });
  const sign = button(t("results.report.sign"), () => signReportSheet(ctx), { kind: "pri", name: "sign-report" });
  const progress = h("div", { class: "s sub", role: "status", "data-name": "report-progress" });
  const about = h("p", { class: "s sub" });
  const made = h("div", { "data-name": "report-made" });
  const el = h("div", { class: "panel", "data-name": "report" }, h("div", { class: "hd" }, h("h2", {}, t("results.report"))), h("div", { class: "bd" }, about, made, progress, h("div", { class: "row wrap" }, write, read, sign)));
  const draw = whenChanged(([report]) => {
    if (!report.draft) { made.replaceChildren(); return; }
    const state = !report.signed.length ? "draft" : report.missing.length ? "part" : "signed";
    const lines = REPORT_ROLES.map((role) => {
      const one = report.signed.find((signed) => signed.role === role);
      return h("li", { "data-name": `signed-${role}` }, one ? light("ok", t("results.report.signed_by", { name: one.name, when: when(t, one.utc), meaning: t(`results.report.meaning.${role}`) }), false) : light("off", t("results.report.unsigned", { role: t(`role.${role}`) }), false));
    });
    made.replaceChildren(h("span", { class: "chip line", "data-name": "report-state" }, t(`results.report.state.${state}`)),
      h("dl", { class: "on s" }, report.files.flatMap((one) => [h("dt", {}, one.format.toUpperCase()), h("dd", { class: "mono", "data-name": `report-${one.format}` }, `${one.path} · ${one.sha256.slice(0, 12)}`)])), h("ul", { class: "plain s" }, lines));
  });
  return {
    el,
    update() {
      const [result, report, work] = [model.get("result") || {}, model.get("report") || {}, model.get("work") || {}];
      show(el, Boolean(result.words));
      if (!result.words) return;
      const runs = work.of && work.kind !== "run";
      put(about, !result.compares ? t("results.report.none_blinded") : report.draft ? t("results.report.lies") : t(`results.report.what.${result.snapshot.level}`));
      draw([report]);
      show(write, result.compares && !(report.draft && !report.missing.length));
      show(read, Boolean(report.draft));
      show(sign, Boolean(report.draft && report.missing.length));
      put(write, t(report.draft ? "results.report.again" : "results.report.write"));
      for (const one of [write, read, sign]) one.disabled = Boolean(work.of);
      put(progress, runs ? [work.name ? t("results.report.step", { n: work.n, of: work.of, what: t(`results.report.step.${work.name}`) }) : t(work.kind === "sign" ? "results.report.signing" : "results.report.begun"), timeLeft(t, work.left)].filter(Boolean).join(" · ") : "");
    },
  };
}
