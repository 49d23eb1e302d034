// The worksheet on one screen: exam, body chart and keypad, result. Nothing is classified or added up here.
import { button, followLanguage, followTheme, h, languageSwitch, put, show } from "./parts/dom.js";
import { GLYPH, light } from "./parts/icons.js";
import { choice, circumstances, conditionWords, confirmSheet, correctionSheet, entryContext, identityOf, keptWords, lackingWords, offers, picker, sheet, historySheet } from "./parts/entry.js";
import { bodyChart } from "./parts/bodychart.js";
import { kindOf, keypad, worksheet } from "./parts/worksheet.js";
import { classification } from "./parts/classification.js";

const SACRAL = [["deepAnalPressure", "dap"], ["voluntaryAnalContraction", "vac"]];
const NON_KEY = "lowestNonKeyMuscleWithMotorFunction";

function setExtra(ctx, code, label, value) {
  const now = (ctx.model.get("items") || {})[code];
  const next = now === value ? null : value;
  if (ctx.correctable()) { if (now !== value) correctionSheet(ctx, code, label, now, value); } else ctx.ask("enter", { item: code, value: next });
}

/** DAP, VAC and the lowest non-key muscles. */
function extras(ctx) {
  const { t, model } = ctx;
  const answers = SACRAL.map(([code, key]) => {
    const label = t(`isncsci.${key}.long`);
    const made = choice(label, ["Yes", "No", "NT"].map((one) => [one, t(`isncsci.answer.${one}`)]), (value) => setExtra(ctx, code, label, value), key);
    return { code, made, el: h("div", { class: "row ans", title: label }, h("span", { class: "s sub" }, t(`isncsci.${key}`)), made.el) };
  });
  const selects = ["right", "left"].map((side) => {
    const code = `${side}.${NON_KEY}`;
    const label = `${t("isncsci.nonkey")}, ${t(`isncsci.side.${side}`)}`;
    const pick = picker(ctx, code, label, `nonkey-${side}`);
    return { pick, el: h("label", { class: "row nk" }, h("span", { class: "xs mute" }, t(`isncsci.${side === "right" ? "R" : "L"}`)), pick.el) };
  });
  return {
    els: [...answers.map((one) => one.el), h("div", { class: "row ans", title: t("isncsci.nonkey.long") }, h("span", { class: "s sub" }, t("isncsci.nonkey")), selects.map((one) => one.el))],
    update(frames) {
      const items = model.get("items") || {};
      const off = Boolean(ctx.saved()) && !ctx.correctable();
      for (const { code, made } of answers) {
        made.update(items[code], off);
        made.el.classList.toggle("why", frames.has(code));
      }
      for (const { pick } of selects) pick.update();
    },
  };
}

/** Title, progress, and the actions of the form. */
function titleStrip(ctx, parts, resend) {
  const { t, model } = ctx;
  const state = h("div", { class: "xs sub", "data-name": "state" });
  const undo = button([t("form.undo")], () => ctx.ask("undo"), { name: "undo" });
  const clear = button(t("form.clear"), () => {
    const n = Object.values(model.get("items") || {}).filter((one) => one !== null).length;
    confirmSheet(ctx, t("form.clear_title"), t("form.clear_words", { n }), t("form.clear_now"), () => ctx.ask("clear", { confirmed: true }));
  }, { name: "clear" });
  const done = button(t("isncsci.complete"), () => { resend(); ctx.ask("save"); }, { kind: "pri", name: "save" });
  const fresh = button(t("form.new"), () => ctx.ask("new"), { name: "new" });
  return {
    el: h("div", { class: "tt" }, h("div", {}, h("h1", {}, t("isncsci.title_page")), state), h("div", { class: "end" }, parts.els, undo, clear, fresh, done)),
    update() {
      const result = model.get("result") || {};
      const saved = ctx.saved();
      const lacking = (ctx.kept().lacking || []).length;
      const items = Object.values(model.get("items") || {});
      const nt = items.filter((one) => String(one).startsWith("NT")).length;
      const bare = (result.bare || []).length;
      put(state, [t(saved ? "isncsci.state.saved" : "isncsci.state.draft"), result.missing ? t("isncsci.entered", { n: result.cells - result.missing, all: result.cells }) : null, nt ? t("isncsci.not_testable", { n: nt }) : null].filter(Boolean).join(" · "));
      undo.disabled = Boolean(saved) || !model.get("undoable");
      clear.disabled = Boolean(saved) || !items.some((one) => one !== null);
      done.disabled = Boolean(saved || lacking || result.missing || bare);
      done.title = done.disabled && !saved ? [lackingWords(ctx), result.missing ? t("isncsci.open_cells", { n: result.missing }) : "", bare ? t("isncsci.bare", { n: bare }) : ""].filter(Boolean).join(" ") : "";
      for (const one of [undo, clear, done]) show(one, !saved);
      show(fresh, Boolean(saved));
    },
  };
}

/** One line: the condition, where the draft is, and the buttons that change them. */
function circumstanceStrip(ctx, inside, resend) {
  const { t } = ctx;
  const words = h("span", { class: "s", "data-name": "circumstances" });
  const why = h("span", { class: "s need" });
  const kept = h("span", { class: "keptline", role: "status", "data-name": "kept" });
  const open = button(t("form.circumstances"), () => sheet(ctx, t("form.circumstances"), (box) => {
    inside.update();
    box.classList.add("wide");
    box.append(h("p", { class: "s sub" }, t("form.no_default")), h("div", { class: "conditions" }, inside.els), h("div", { class: "conditions more" }, inside.more));
  }, "circumstances-sheet"), { name: "circumstances-open" });
  const left = button(t("isncsci.close_incomplete"), () => confirmSheet(ctx, t("isncsci.close_incomplete"), t("isncsci.close_words", { n: (ctx.model.get("result") || {}).missing }), t("isncsci.close_now"), () => { resend(); ctx.ask("save", { incomplete: true }); }), { kind: "quiet", name: "save-incomplete" });
  return {
    el: h("div", { class: "circ" }, open, words, why, left, kept),
    update() {
      const result = ctx.model.get("result") || {};
      const saved = ctx.saved();
      put(words, conditionWords(ctx).join(" · "));
      const lacking = lackingWords(ctx);
      put(why, saved ? (ctx.correctable() ? t("form.correct_hint") : "") : lacking || (result.missing === 0 && (result.bare || []).length ? t("isncsci.bare", { n: result.bare.length }) : result.missing ? t("isncsci.first_open", { n: result.missing, cell: shownCell(ctx, (ctx.kept().missing || [])[0]) }) : ""));
      open.classList.toggle("open", Boolean(lacking) && !saved);
      show(left, !saved && !lacking && result.missing > 0 && result.missing < result.cells && !(result.bare || []).length);
      const told = keptWords(ctx);
      kept.replaceChildren(...(told ? [light(told[0], told[1], false)] : []));
    },
  };
}

function shownCell(ctx, code) {
  if (!code) return "";
  const sacral = SACRAL.find(([name]) => name === code);
  if (sacral) return ctx.t(`isncsci.${sacral[1]}`);
  const [side, grid, segment] = code.split(".");
  return `${segment.replace("_", "-")} ${ctx.t(`isncsci.side.${side}`)} ${ctx.t(`isncsci.short.${grid}`)}`;
}

function buildWorksheet(root, model, t, keep) {
  const ctx = entryContext(root, model, t);
  const sheetOf = worksheet(ctx);
  if (keep.current) sheetOf.store.current = keep.current;
  Object.assign(sheetOf.store, keep.typed);
  // Typed scores that Python has not answered yet survive a change of language, which builds the page again.
  const { waiting: shown, unsent, latest } = sheetOf.store;
  keep.typed = { waiting: shown, unsent, latest };
  const cellHistory = { el: h("span", {}, h("button", { type: "button", class: "hist", "data-name": "cell-history", onclick: () => historySheet(ctx, sheetOf.store.current, sheetOf.label(sheetOf.store.current)) }, t("form.history"))), update: () => show(cellHistory.el, Boolean(ctx.kept().id)) };
  ctx.labelOf = (code) => { const sacral = SACRAL.find(([name]) => name === code); return sacral ? t(`isncsci.${sacral[1]}.long`) : sheetOf.has(code) ? sheetOf.label(code) : code; };
  ctx.shownCell = (code) => shownCell(ctx, code);
  const pad = keypad(ctx, sheetOf, cellHistory);
  const parts = extras(ctx);
  const frame = (cells) => { sheetOf.store.frames = cells; };
  const result = classification(ctx, frame);
  const look = (code) => { const value = sheetOf.value(code); return [kindOf(code, value), `${sheetOf.label(code)}: ${value ?? t("isncsci.legend.vno")}`]; };
  const chart = bodyChart(ctx, look, (code) => sheetOf.has(code) && sheetOf.focus(code));
  const inside = circumstances(ctx);
  const strip = titleStrip(ctx, parts, sheetOf.resend);
  const line = circumstanceStrip(ctx, inside, sheetOf.resend);
  const stored = offers(ctx);
  const bar = h("header", { class: "bar" }, h("span", { html: GLYPH }), identityOf(ctx), h("span", { class: "s sub" }, "ISNCSCI 2019"),
    h("div", { class: "end" }, h("span", { "data-name": "rater-line" }), languageSwitch(model, t)));
  const rater = bar.querySelector("[data-name=rater-line]");

  ctx.redraw = () => {
    keep.current = sheetOf.store.current;
    const fields = model.get("fields") || {};
    put(rater, t("form.rater_line", { name: fields.rater || "—" }));
    result.update();
    for (const one of [sheetOf, pad, strip, line, inside, stored]) one.update();
    parts.update(sheetOf.store.frames);
    chart.update(sheetOf.store.current);
  };
  root.append(bar, h("main", { class: "p" }, strip.el, line.el, stored.el, h("div", { class: "g" }, sheetOf.el, h("div", { class: "mid" }, chart.el, pad.el), result.el)));
  const names = "change:items change:condition change:side change:fields change:result change:saved change:kept change:stored change:undoable";
  let waiting = 0;
  const soon = () => { cancelAnimationFrame(waiting); waiting = requestAnimationFrame(ctx.redraw); };
  model.on(names, soon);
  ctx.redraw();
  return () => { cancelAnimationFrame(waiting); model.off(names, soon); };
}

function render({ model, el }) {
  const root = h("div", { class: "wb wb-isncsci", "data-lm-suppress-shortcuts": "true" });
  el.append(root);
  const keep = {};
  const stops = [followTheme(root, model), followLanguage(root, model, (host, t) => buildWorksheet(host, model, t, keep))];
  return () => stops.forEach((stop) => stop());
}

export default { render };
