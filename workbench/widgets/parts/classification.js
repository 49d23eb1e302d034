// The result beside the worksheet: Python's classification, the reasons, and the cells that open results depend on.
import { button, h, put, show, whenChanged } from "./dom.js";
import { picker, sheet } from "./entry.js";
import { light } from "./icons.js";

const ROWS = [["sensory", true], ["motor", true], ["nli", false], ["complete", false], ["ais", false], ["zpp_sensory", true], ["zpp_motor", true]];
const SUMS = ["uems", "lems", "light_touch", "pin_prick"];
const shown = (text) => String(text).replaceAll("S4_5", "S4-5").replaceAll(",", ", ");

export function classification(ctx, frame) {
  const { t, model } = ctx;
  const store = { chosen: "ais" };
  const big = h("div", { class: "big", "aria-hidden": "true" });
  const title = h("div", { class: "semi l", "data-name": "classification", role: "status" });
  const under = h("div", { class: "s sub" });
  const sums = h("div", { class: "sm" });
  const nd = h("div", { class: "xs sub" });
  const warnings = h("div", { class: "warnings xs" });
  const words = (one) => one[t("form.locale")] || one["zh-CN" === model.get("language") ? "zh-CN" : "en"];
  const rows = ROWS.map(([name, sides]) => {
    const value = h("b", {});
    const why = h("span", { class: "y" });
    const el = h("button", { type: "button", class: "rs", "data-result": name, "aria-expanded": "false", onclick: () => { store.chosen = store.chosen === name ? "" : name; ctx.redraw(); } }, h("span", { class: "sub" }, t(`isncsci.result.${name}`)), value, why);
    return { name, sides, el, value, why };
  });
  const own = ["nli", "ais"].map((name) => {
    const label = t(`isncsci.site.${name}`);
    const pick = picker(ctx, `site_reported.${name}`, label, `site-${name}`, (one) => shown(one));
    return { pick, el: h("label", { class: "row", title: label }, h("span", { class: "xs mute" }, name.toUpperCase()), pick.el) };
  });
  const differs = h("span", { class: "xs differs", role: "status", "data-name": "site-differs" });
  const site = h("div", { class: "site", title: t("isncsci.site.long") }, h("span", { class: "s sub" }, t("isncsci.site")), own.map((one) => one.el), differs);
  const all = button(t("isncsci.steps"), () => stepsSheet(), { kind: "quiet", name: "steps" });

  function stepsSheet() {
    sheet(ctx, t("isncsci.steps"), (box) => {
      box.append(h("dl", { class: "steps" }, (model.get("result").steps || []).flatMap((one) => [h("dt", {}, t(`isncsci.step.${one.field}`, {}, one.field)), h("dd", {}, words(one))])));
    }, "steps-sheet");
  }
  const stepOf = (result, field) => { const found = (result.steps || []).find((one) => one.field === field); return found ? words(found) : ""; };
  function fields({ name, sides }) {
    return sides ? [`${name}_right`, `${name}_left`] : [name];
  }
  function valueOf(result, row) {
    const found = result.result || result.partial || {};
    if (fields(row).some((field) => found[field] !== undefined)) {
      if (row.name === "complete") return found.complete.split(",").map((one) => t(`isncsci.complete.${one.replace("*", "")}`) + (one.includes("*") ? "*" : "")).join(", ");
      return fields(row).map((field) => (found[field] === undefined ? "—" : shown(found[field]))).join(" / ");
    }
    return "—";
  }
  function whyOf(result, row) {
    const names = [...new Set(fields(row).flatMap((field) => (result.lacking_cells || {})[field] || []))].map(ctx.shownCell);
    if (!result.result && names.length) return t("isncsci.waits_for", { cells: names.join(", ") });
    if (!result.result) return Math.max(0, ...fields(row).map((field) => (result.lacking || {})[field] ?? 0)) ? t("isncsci.waits", { n: fields(row).map((field) => (result.lacking || {})[field] ?? 0).join(" / ") }) : t("isncsci.waits_all");
    return fields(row).map((field, i) => h("span", {}, row.sides ? h("b", { class: "semi" }, `${t(`isncsci.${"RL"[i]}`)} `) : null, stepOf(result, field)));
  }
  const drawSums = whenChanged((result) => {
    const totals = (result.result || {}).totals;
    sums.replaceChildren(...["", "right", "left", "total"].map((one) => h("span", { class: "h" }, one ? t(`isncsci.sum.${one}`) : "")),
      ...SUMS.flatMap((name) => {
        const sum = (result.sums || {})[name] || {};
        const total = totals ? totals[name] : sum.value ?? "—";
        return [h("span", {}, t(`isncsci.sum.${name}`)), ...["right", "left"].map((side) => h("span", {}, totals ? totals[side][name] : "")), h("span", { class: "semi" }, total)];
      }));
    put(nd, totals && SUMS.some((name) => totals[name] === "ND") ? t("isncsci.nd") : "");
  });
  const drawWarnings = whenChanged((list, bare) => {
    warnings.replaceChildren(...(bare ? [light("high", t("isncsci.bare", { n: bare }), false)] : []), ...list.map((one) => light("medium", words(one), false)));
  });
  return {
    el: h("aside", { class: "panel cls", "aria-label": t("isncsci.classification") },
      h("div", { class: "bd ais" }, big, h("div", {}, title, under)), h("div", { class: "hd" }, h("h2", {}, t("isncsci.why")), h("span", { class: "rt" }, t("isncsci.right_left"))),
      h("div", { class: "rows" }, rows.map((one) => one.el), site, warnings, all), h("div", { class: "hr" }), h("div", { class: "bd" }, sums, nd)),
    update() {
      const result = model.get("result") || {};
      const found = result.result;
      const entered = (result.cells || 0) - (result.missing || 0);
      put(big, found ? (found.ais.includes(",") ? "ND" : found.ais) : "–");
      put(title, found ? t(found.ais.includes(",") ? "isncsci.title_nd" : "isncsci.title", { ais: shown(found.ais), level: shown(found.nli) }) : t("isncsci.entered", { n: entered, all: result.cells || 0 }));
      put(under, result.error ? t.said(result, "error") : found ? t(`isncsci.ais.${found.ais.replace("*", "")}`, {}, t("isncsci.ais.open")) : t("isncsci.appears"));
      for (const row of rows) {
        const open = row.name === store.chosen;
        put(row.value, valueOf(result, row));
        row.el.classList.toggle("on", open);
        row.el.setAttribute("aria-expanded", String(open));
        row.why.replaceChildren(...[open ? whyOf(result, row) : []].flat());
        show(row.why, open);
      }
      const framed = (result.frames || {})[store.chosen];
      frame(new Set(framed || []));
      for (const { pick } of own) pick.update();
      const apart = Object.entries(result.site_differs || {});
      differs.replaceChildren(...(apart.length ? [light("medium", t("isncsci.site.differs", { what: apart.map(([name]) => name.toUpperCase()).join(", ") }), false)] : []));
      show(all, Boolean(found));
      drawWarnings(result.warnings || [], (result.bare || []).length);
      drawSums(result);
    },
  };
}
