// The visit and the measure. Both are chosen here, and the form below follows.
import { followLanguage, followTheme, h, languageSwitch, put, request, show } from "./parts/dom.js";

function buildDesk(root, model, t) {
  const problem = h("span", { class: "fielderror", role: "alert" });
  show(problem, false);
  const pick = (name, label, options) => {
    const field = h("select", { class: "field", "data-name": name, "aria-label": label }, options.map(([id, words]) => h("option", { value: id }, words)));
    field.addEventListener("change", ask);
    return field;
  };
  function ask() {
    request(model, "choose", { visit: visit.value, measure: measure.value }).then((reply) => {
      put(problem, reply.ok ? "" : reply.silent ? t("form.not_saved") : t.said(reply, "text"));
      show(problem, !reply.ok);
      draw();
    });
  }
  const visit = pick("desk-visit", t("desk.visit"), model.get("visits"));
  const measure = pick("desk-measure", t("desk.measure"), model.get("measures").map(([id, words]) => [id, t(`title.${id}`, {}, words)]));
  function draw() {
    const chosen = model.get("chosen") || {};
    if (chosen.visit) visit.value = chosen.visit;
    if (chosen.measure) measure.value = chosen.measure;
  }
  root.append(h("section", { class: "desk", "aria-label": t("view.assess") }, h("label", { class: "row" }, h("span", { class: "s sub" }, t("desk.visit")), visit), h("label", { class: "row" }, h("span", { class: "s sub" }, t("desk.measure")), measure), problem,
    h("div", { class: "end" }, model.get("rater") ? h("span", { class: "s sub" }, t("form.rater_line", { name: model.get("rater") })) : null, languageSwitch(model, t))));
  model.on("change:chosen", draw);
  draw();
  return () => model.off("change:chosen", draw);
}

function render({ model, el }) {
  const root = h("div", { class: "wb wb-panel wb-desk", "data-lm-suppress-shortcuts": "true" });
  el.append(root);
  const stops = [followTheme(root, model), followLanguage(root, model, (host, t) => buildDesk(host, model, t))];
  return () => stops.forEach((stop) => stop());
}

export default { render };
