// One administration of one measure. A digit enters a value and moves on, arrows move, Delete removes a value.
// Every number comes from the measure's own scorer; nothing is added up here.
import { button, followLanguage, followTheme, h, put, show, whenChanged } from "./parts/dom.js";
import { light } from "./parts/icons.js";
import { alarms, choice, circumstances, confirmSheet, entryContext, identityOf, keptWords, lackingWords, offers, wordsOf } from "./parts/entry.js";
import { itemBlocks } from "./parts/items.js";

const shownNumber = (value) => (typeof value === "number" && !Number.isInteger(value) ? value.toFixed(2).replace(/0$/, "") : value);

/** The score beside the items: total where there is one, subscores, other results, steps and warnings. */
function resultPanel(ctx, subscores) {
  const { t, model } = ctx;
  const definition = model.get("definition");
  const total = h("div", { class: "total", "data-name": "total" });
  const totalCap = h("div", { class: "xs mute" });
  const subs = h("dl", { class: "kv" });
  const warnings = h("div", { class: "xs sub stack" });
  const value = (one) => (one && (one.status === "ok" || one.status === "censored") ? `${shownNumber(one.value)}${one.status === "censored" ? "+" : ""}` : one ? one.status : "—");
  const span = (scale) => (scale.unit ? ` ${scale.unit}` : ` / ${shownNumber(scale.high)}`);
  const draw = whenChanged((result) => {
    const all = result.total;
    show(total, definition.low !== null);
    put(total, value(all));
    put(totalCap, definition.low === null ? t("form.no_total") : t("form.total", { low: all?.low ?? definition.low, high: all?.high ?? definition.high, valid: all?.n_valid ?? 0, items: all?.n_items ?? definition.items.length }));
    subs.replaceChildren(...definition.subscales.flatMap((scale) => {
      const one = (result.subscores || {})[scale.code];
      return [h("dt", {}, wordsOf(t, definition, scale.code, scale.label)), h("dd", {}, `${value(one)}${span(scale)}`)];
    }), ...Object.entries(result.classes || {}).filter(([, one]) => typeof one !== "object").flatMap(([name, one]) => [h("dt", {}, name.replaceAll("_", " ")), h("dd", {}, String(one))]));
    for (const { scale, el } of subscores) {
      const one = (result.subscores || {})[scale.code] || {};
      put(el, t("form.subscore", { value: value(one.status ? one : null), high: `${shownNumber(scale.high)}${scale.unit ? ` ${scale.unit}` : ""}`, valid: one.n_valid ?? 0, items: one.n_items ?? scale.items.length }));
    }
    warnings.replaceChildren(...(result.error ? [h("div", {}, light("medium", t.said(result, "error"), false))] : []), ...saidAll(t, result, "warnings").map((words) => h("div", {}, light("low", words, false))));
  });
  return { els: [h("div", { class: "xs sub" }, t("form.result")), total, totalCap, subs, warnings], update: () => draw(model.get("result") || {}) };
}

function buildForm(root, model, t) {
  const definition = model.get("definition");
  const ctx = entryContext(root, model, t);
  const subscores = [];
  const blocks = itemBlocks(ctx, subscores);
  const around = circumstances(ctx);
  const stored = offers(ctx);
  const loud = alarms(ctx);
  const result = resultPanel(ctx, subscores);
  const count = h("span", { class: "rt" });
  const lacking = h("span", { class: "s sub" });
  const saveSay = h("div", { class: "s", role: "status", "data-name": "kept" });
  const save = button(t("form.save"), () => ctx.ask("save"), { kind: "pri", name: "save" });
  const undo = button(t("form.undo"), () => ctx.ask("undo"), { name: "undo" });
  const clear = button(t("form.clear"), () => confirmSheet(ctx, t("form.clear_title"), t("form.clear_words", { n: entered() }), t("form.clear_now"), () => ctx.ask("clear", { confirmed: true })), { name: "clear" });
  const fresh = button(t("form.new"), () => ctx.ask("new").then(() => blocks.focus()), { name: "new" });
  const versions = (model.get("versions") || []).length > 1 ? choice(t("form.versions"), model.get("versions").map((one) => [one, one]), (version) => ctx.ask("choose_version", { version }), "version") : null;
  const entered = () => blocks.order.filter((code) => ![undefined, null].includes((model.get("items") || {})[code])).length;

  ctx.redraw = () => {
    const saved = ctx.saved();
    for (const one of [blocks, around, stored, loud, result]) one.update();
    if (versions) versions.update(definition.version, Boolean(saved));
    const n = entered();
    const missing = (ctx.kept().missing || []).length;
    const open = lackingWords(ctx);
    put(count, t("form.entered", { n, all: blocks.order.length }));
    save.disabled = Boolean(open || saved);
    put(lacking, saved ? (ctx.correctable() ? t("form.correct_hint") : "") : open || (missing && n ? t("form.items_left", { n: missing }) : ""));
    undo.disabled = !model.get("undoable");
    clear.disabled = !n;
    for (const one of [save, undo, clear]) show(one, !saved);
    show(fresh, Boolean(saved));
    const told = keptWords(ctx);
    saveSay.replaceChildren(...(told ? [light(told[0], told[1], false)] : []));
  };
  const titled = t(`title.${definition.name}`, {}, definition.title);
  root.append(h("section", { class: "panel assessment", "aria-label": titled }, h("div", { class: "hd" }, identityOf(ctx), h("h2", {}, titled), versions ? versions.el : h("span", { class: "s mute" }, t("form.version", { version: definition.version })), count),
    h("div", { class: "bd form" }, loud.el, stored.el,
      h("div", { class: "conditions" }, around.els), h("details", { class: "more" }, h("summary", { class: "s" }, t("form.circumstances")), h("div", { class: "conditions" }, around.more)),
      h("div", { class: "blocks" }, blocks.els),
      h("div", { class: "result" }, result.els, ctx.problem, lacking, h("div", { class: "row wrap" }, save, undo, clear, fresh), saveSay, h("div", { class: "xs mute" }, t("form.keys"))))));
  let waiting = 0;
  // One answer changes several traits: drawn once per frame, not once per trait.
  const soon = () => { cancelAnimationFrame(waiting); waiting = requestAnimationFrame(ctx.redraw); };
  const names = "change:items change:condition change:side change:fields change:result change:saved change:kept change:stored change:undoable";
  model.on(names, soon);
  ctx.redraw();
  return () => { cancelAnimationFrame(waiting); model.off(names, soon); };
}

function render({ model, el }) {
  const root = h("div", { class: "wb wb-panel", "data-lm-suppress-shortcuts": "true" });
  el.append(root);
  let stop = null;
  const again = () => { if (stop) stop(); stop = followLanguage(root, model, (host, t) => buildForm(host, model, t)); };
  again();
  model.on("change:definition", again);
  const stopTheme = followTheme(root, model);
  return () => { model.off("change:definition", again); stop(); stopTheme(); };
}

export default { render };
