// The hard lock of a study: every condition with what is missing and where it is settled, then three people who sign.
import { button, h, put, request, show } from "./dom.js";
import { light } from "./icons.js";
import { sheet } from "./entry.js";
import { area, field } from "./signed.js";
import { passwordField } from "./signin.js";

const SIGNING = ["data_manager", "investigator", "statistician"];
const DESK = ["unsent", "uncoded", "serious"];

/** Whether the study is locked, and by whom; undefined while it is open. */
export const hardLock = (seen) => (seen.locks || []).find((one) => one.level === "hard");

function conditionRow(t, one, { opens, lead }) {
  if (one.n === null) return h("li", { "data-name": `condition-${one.name}` }, light("off", t(`lock.kept.${one.name}`), false));
  if (!one.n) return h("li", { "data-name": `condition-${one.name}` }, light("ok", t(`lock.holds.${one.name}`), false));
  const people = opens.includes("participant") ? one.people.map((person) => h("button", { type: "button", class: "link xs", "data-name": `settle-${one.name}-${person}`, "aria-label": `${t("lock.open_person", { person })}: ${t(`lock.missing.${one.name}`, { n: one.n })}`, onclick: () => lead("participant", { participant: person }) }, person)) : one.people;
  const desk = DESK.includes(one.name) && opens.includes("safety") ? h("button", { type: "button", class: "link xs", "data-name": `settle-${one.name}-desk`, onclick: () => lead("safety") }, t("lock.open_desk")) : null;
  return h("li", { "data-name": `condition-${one.name}` }, light("medium", t(`lock.missing.${one.name}`, { n: one.n })),
    h("div", { class: "row wrap who" }, people, one.more ? h("span", { class: "xs sub" }, t("lock.more", { n: one.more })) : null, desk));
}

/** What is known of chain and recordings: the lock verifies both itself. */
function recordRow(t, seen, lead) {
  const newest = seen.verification;
  const words = !newest ? t("lock.record_never") : newest.ok ? t("lock.record_ok", { seq: newest.seq }) : t("lock.record_broken", { why: t.said(newest, "first") });
  return h("li", { "data-name": "condition-record" }, light(!newest ? "off" : newest.ok ? "ok" : "high", words, false),
    h("div", { class: "row wrap who" }, h("button", { type: "button", class: "link xs", "data-name": "settle-record", onclick: () => lead("verify") }, t("lock.verify"))));
}

/** Name and password of one of the three; the password is cleared in the step in which it is sent. */
function signerRow(t, role) {
  const login = field(t("sign.login"), `login-${role}`, { autocomplete: "off" });
  const password = passwordField(t("sign.password"), `password-${role}`);
  return {
    el: h("fieldset", { class: "signer" }, h("legend", { class: "s" }, t(`role.${role}`)), login.el, password.el),
    given: () => Boolean(login.value() && password.input.value), login: () => login.value(), take: () => ({ login: login.value(), password: password.take() }), forget: () => password.take(),
  };
}

/** Opens the dialog of the lock, or of its end where the study is locked. `ask` sends a request of the page. */
export function lockSheet(ctx, ask) {
  const { t, model } = ctx;
  const held = Boolean(hardLock(model.get("overview") || {}));
  const verb = t(held ? "lock.unlock_now" : "lock.now");
  sheet(ctx, t(held ? "lock.unlock_title" : "lock.title"), (box, close) => {
    const list = h("ul", { class: "conditions-list" });
    const waiting = h("p", { class: "s sub", role: "status" }, t("lock.reading"));
    const problem = h("div", { class: "fielderror", role: "alert", "data-name": "sheet-problem" });
    const why = h("div", { class: "xs sub", role: "status", "data-name": "lock-waits" });
    const reason = area(t("steps.why"), "why");
    const signers = SIGNING.map((role) => signerRow(t, role));
    let open = held ? 0 : null; // how many conditions do not hold; null until it is known
    const different = () => new Set(signers.map((one) => one.login())).size === signers.length;
    const lacking = () => (open === null ? t("lock.reading") : open ? t("lock.needs_conditions") : !reason.value() ? t("safety.needs_reason") : !signers.every((one) => one.given()) ? t("lock.needs_people") : different() ? "" : t("lock.needs_different"));
    const send = button(verb, () => {
      send.disabled = true;
      request(model, "lock", { change: held ? "UnlockStudy" : "LockStudy", reason: reason.value(), signers: signers.map((one) => one.take()) }, 60).then((reply) => {
        if (reply.ok) return close();
        put(problem, reply.silent ? t("study.silent") : t.said(reply, "text"));
        return ready();
      });
    }, { kind: "pri", name: "sheet-send" });
    const ready = () => { const words = lacking(); put(why, words); send.disabled = Boolean(words); };
    const lead = (name, args = {}) => { close(); ask(name, args); };
    box.addEventListener("input", () => { put(problem, ""); ready(); });
    box.addEventListener("close", () => signers.forEach((one) => one.forget()));
    box.append(h("p", { class: "s" }, t(held ? "lock.unlock_means" : "lock.means")), waiting, list, reason.el, h("div", { class: "signers stack" }, h("div", { class: "xs sub" }, t("lock.signatures")), h("div", { class: "three" }, signers.map((one) => one.el))), problem, why,
      h("div", { class: "row wrap end" }, button(t("sign.cancel"), close, { name: "sheet-cancel" }), send));
    // Not the button that closes: who opened the dialog came to enter something.
    reason.input.setAttribute("autofocus", "");
    show(waiting, !held);
    ready();
    if (held) return;
    request(model, "conditions", {}, 60).then((reply) => {
      show(waiting, false);
      if (!reply.ok) { put(problem, reply.silent ? t("study.silent") : t.said(reply, "text")); return; }
      const opens = model.get("opens") || [];
      list.replaceChildren(...reply.value.map((one) => conditionRow(t, one, { opens, lead })), recordRow(t, model.get("overview") || {}, lead));
      open = reply.value.filter((one) => one.n).length;
      ready();
    });
  }, "lock-sheet");
}
