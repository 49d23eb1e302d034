// Dialogs that change the record: what is changed, who signs with a password, and the one button that sends both.
// The password stays in its field until it is posted, and is cleared in the same step (see signin.js).
import { button, h, put, request } from "./dom.js";
import { sheet } from "./entry.js";
import { passwordField } from "./signin.js";

const labelled = (label, input) => h("label", { class: "stacked" }, h("span", { class: "s sub" }, label), input);

/** A field with its label. */
export function field(label, name, attributes = {}) {
  const input = h("input", { class: "field", "data-name": name, autocomplete: "off", ...attributes });
  if (attributes.value !== undefined) input.value = attributes.value;
  return { input, el: labelled(label, input), value: () => input.value.trim() };
}

export function area(label, name, value = "") {
  const input = h("textarea", { class: "field area", rows: 3, "data-name": name });
  input.value = value;
  return { input, el: labelled(label, input), value: () => input.value.trim() };
}

export function selection(label, name, options, value = undefined) {
  const input = h("select", { class: "field", "data-name": name }, options.map(([key, words]) => h("option", { value: key }, words)));
  if (value !== undefined) input.value = value;
  return { input, el: labelled(label, input), value: () => input.value };
}

/** Who signs: a sign-in name and a password, or in words why none is asked for. */
function signature(t, signing, roles) {
  const login = field(t("sign.login"), "sign-login", { autocomplete: "username", value: signing.login || "" });
  const password = passwordField(t("sign.password"), "sign-password");
  const may = t("person.roles", { roles: roles.map((role) => t(`role.${role}`, {}, role)).join(t("person.and")) });
  const asked = signing.how === "password";
  return {
    el: h("div", { class: "signature stack" }, h("div", { class: "hr" }), h("div", { class: "xs sub" }, may),
      asked ? h("div", { class: "pair" }, login.el, password.el) : h("p", { class: "s" }, t(`person.signing.${signing.how}`, { name: signing.name || "" }))),
    lacking: () => (signing.how === "nobody" ? t("person.signing.nobody") : asked && !login.value() ? t("person.needs_login") : asked && !password.input.value ? t("person.needs_password") : ""),
    take: () => (asked ? { login: login.value(), password: password.take() } : {}),
    inputs: [login.input, password.input],
    forget: () => password.take(),
  };
}

/** Why nothing can be changed now, in words: what cannot be read cannot be written either. */
const cutOff = ({ t, model }) => ((model.get("look") || {}).fault ? t("person.no_record") : "");

/**
 * A dialog that makes one change. `parts` are its fields, each with `el`; `fields()` gives the values that are sent,
 * `reason()` why, for a change that asks for it, `lacking()` why they cannot be sent yet, in words, or "". `more(close)`
 * gives an element above the fields that may lead on to another dialog.
 */
export function signedSheet(ctx, { name, title, verb, change, parts, fields, reason = null, lacking = () => "", more = () => null }) {
  const { t, model } = ctx;
  const page = model.get("page");
  const signer = signature(t, page.signing, page.roles[change] || []);
  return sheet(ctx, title, (box, close) => {
    const above = more(close);
    const problem = h("div", { class: "fielderror", role: "alert", "data-name": "sheet-problem" });
    const why = h("div", { class: "xs sub", role: "status" });
    const send = button(verb, () => {
      send.disabled = true;
      request(model, "make", { change, fields: fields(), ...(reason ? { reason: reason() } : {}), ...signer.take() }, 60).then((reply) => {
        if (reply.ok) { close(); return ctx.refocus(); }
        put(problem, reply.silent ? t("person.silent") : t.said(reply, "text"));
        return ready();
      });
    }, { kind: "pri", name: "sheet-send" });
    const ready = () => {
      const words = cutOff(ctx) || lacking() || signer.lacking();
      put(why, words);
      send.disabled = Boolean(words);
    };
    box.addEventListener("input", () => { put(problem, ""); ready(); });
    box.addEventListener("close", () => { signer.forget(); model.off("change:look", ready); });
    model.on("change:look", ready);
    box.append(...(above ? [above] : []), ...parts.map((one) => one.el || one), signer.el, problem, why, h("div", { class: "row wrap end" }, button(t("sign.cancel"), close, { name: "sheet-cancel" }), send));
    // Not the button that closes: who opened the dialog came to enter something.
    box.querySelector("input, select, textarea")?.setAttribute("autofocus", "");
    ready();
  }, name);
}
