// A log, newest last; it follows the end unless the reader has scrolled up.
import { followLanguage, followTheme, h, put, show } from "./parts/dom.js";

function buildLog(root, model, t) {
  const text = h("pre", { class: "log", tabindex: "0", role: "log", "aria-live": "off", "aria-label": t("log.title") });
  const empty = h("div", { class: "empty" }, t("log.empty"));
  const count = h("span", { class: "rt" });
  root.append(h("div", { class: "panel" }, h("div", { class: "hd" }, h("h2", {}, t("log.title")), h("span", { class: "s mute" }, model.get("name")), count), h("div", { class: "bd" }, empty, text)));
  const draw = () => {
    const lines = model.get("lines") || [];
    const atEnd = text.scrollHeight - text.scrollTop - text.clientHeight < 30;
    put(text, lines.join("\n"));
    put(count, t("log.lines", { n: lines.length }));
    show(empty, lines.length === 0);
    show(text, lines.length > 0);
    if (atEnd) text.scrollTop = text.scrollHeight;
  };
  model.on("change:lines", draw);
  draw();
  return () => model.off("change:lines", draw);
}

function render({ model, el }) {
  const root = h("div", { class: "wb wb-panel" });
  el.append(root);
  const stops = [followTheme(root, model), followLanguage(root, model, (host, t) => buildLog(host, model, t))];
  return () => stops.forEach((stop) => stop());
}

export default { render };
