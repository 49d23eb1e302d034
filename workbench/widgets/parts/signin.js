// Signing in. The password stays in its field until it is posted to the server, and is cleared in the same step: it is
// in no message (see request in dom.js), no trait, and no address of the page.
import { button, h, put, request, show } from "./dom.js";

/** A password field whose value can be taken once. */
export function passwordField(label, name) {
  const input = h("input", { class: "field", type: "password", autocomplete: "current-password", "aria-label": label, "data-name": name });
  return {
    input,
    el: h("label", { class: "stacked" }, h("span", { class: "s sub" }, label), input),
    /** The value, taken out of the field. */
    take() {
      const { value } = input;
      input.value = "";
      return value;
    },
  };
}

export function signInSheet(ctx) {
  const { t } = ctx;
  const login = h("input", { class: "field", autocomplete: "username", "data-name": "login", "aria-label": t("sign.login") });
  const password = passwordField(t("sign.password"), "password");
  const problem = h("div", { class: "fielderror", role: "alert" });
  const go = button(t("sign.in"), () => undefined, { kind: "pri", name: "sign-in" });
  go.type = "submit"; // so that Enter in a field signs in too
  const cancel = button(t("sign.cancel"), () => close());
  const form = h("form", { class: "stacked", onsubmit: (event) => { event.preventDefault(); send(); } },
    h("b", { class: "semi" }, t("sign.title")), h("label", { class: "stacked" }, h("span", { class: "s sub" }, t("sign.login")), login), password.el, problem,
    h("div", { class: "row end" }, cancel, go));
  const el = h("div", { class: "ask sign", role: "dialog", "aria-label": t("sign.title"), hidden: true }, form);
  function close() {
    password.take();
    put(problem, "");
    show(el, false);
  }
  function send() {
    go.disabled = true;
    const secret = password.take();
    request(ctx.model, "sign_in", { login: login.value, password: secret }, 30).then((reply) => {
      go.disabled = false;
      if (reply.ok) return close();
      put(problem, reply.silent ? t("ask.silent") : t.said(reply, "text"));
      return password.input.focus();
    });
  }
  return { el, close, open() { show(el, true); login.focus(); } };
}
