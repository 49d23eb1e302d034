// The items of a measure as rows: explicit values as keys, quantities with unit and range, text codes beside both.
import { h } from "./dom.js";
import { correctionSheet, historyButton, wordsOf } from "./entry.js";

const MANY = 12;
const bare = (words) => words.replace(/^[^:]*: /, "");
const sideless = (words) => { const text = bare(words).replace(/,? *\b(?:right|left)\b,? */i, " ").trim(); return text.charAt(0).toUpperCase() + text.slice(1); };
const sideOf = (code) => (/^(right|left)_/.exec(code) || [])[1] || "";
const base = (code) => code.replace(/^(?:right|left)_/, "");

/** Blocks in the order of the subscales; right and left of the same item share a row. */
export function blocksOf(definition) {
  const byCode = new Map(definition.items.map((item) => [item.code, item]));
  const used = new Set();
  const rowsOf = (codes) => {
    const rows = new Map();
    for (const code of codes) {
      if (used.has(code) || !byCode.has(code)) continue;
      const other = sideOf(code) === "right" ? `left_${base(code)}` : sideOf(code) === "left" ? `right_${base(code)}` : "";
      const pair = other && byCode.has(other);
      const key = pair ? base(code) : code;
      rows.set(key, pair ? { pair: true, items: [byCode.get(`right_${base(code)}`), byCode.get(`left_${base(code)}`)] } : { pair: false, items: [byCode.get(code)] });
      used.add(code);
      if (pair) used.add(other);
    }
    return [...rows.values()];
  };
  const blocks = [];
  for (const scale of definition.subscales) {
    const rows = rowsOf(scale.items);
    if (!rows.length) continue;
    const mate = sideOf(scale.code) && definition.subscales.find((one) => one !== scale && base(one.code) === base(scale.code));
    blocks.push({ scales: mate ? [scale, mate].sort((a, b) => (a.code < b.code ? 1 : -1)) : [scale], rows });
  }
  const rest = rowsOf(definition.items.map((item) => item.code));
  if (rest.length) blocks.push({ scales: [], rows: rest });
  const extra = (definition.extras || []).map((item) => ({ pair: false, items: [item] }));
  if (extra.length) blocks.push({ scales: [], rows: extra, extra: true });
  return blocks;
}

/** One item: a control that takes keys, shows its value, and asks for a reason when the assessment is saved. */
export function itemControl(ctx, item, label, go) {
  const { t, model } = ctx;
  const now = () => (model.get("items") || {})[item.code];
  let typed = "";
  const possible = (value) => [...item.allowed, ...item.codes].includes(value) || (!item.allowed.length && typeof value === "number" && value >= item.low && value <= item.high);
  /** Moves on at once, so that keys typed fast reach their items; a refused value takes the focus back. */
  function enter(value, { onward = true } = {}) {
    if (ctx.correctable()) { if (now() !== value) correctionSheet(ctx, item.code, label, now(), value); return; }
    if (onward && possible(value) && !ctx.saved()) go(item.code, 1);
    ctx.ask("enter", { item: item.code, value }, item.code).then((reply) => { if (!reply.ok && !reply.silent) (few ? el : input).focus(); });
  }
  const choose = (value) => h("button", { type: "button", class: `val${String(value).length > 2 ? " text" : ""}`, tabindex: "-1", role: "radio", "aria-checked": "false", "data-value": value, onclick: () => { el.focus(); enter(value, { onward: false }); } }, t(`form.code.${value}`, {}, String(value)));
  const few = item.allowed.length > 0 && item.allowed.length <= MANY;
  const values = [...(few ? item.allowed : []), ...item.codes].map(choose);
  const input = few ? null : item.allowed.length
    ? h("select", { class: "field", "data-item-input": item.code, "aria-label": label, onchange: () => enter(input.value === "" ? null : item.allowed.find((one) => String(one) === input.value), { onward: false }) }, h("option", { value: "" }, "–"), item.allowed.map((one) => h("option", { value: one }, one)))
    : h("input", { class: "field", type: "number", step: "any", min: item.low, max: item.high, "data-item-input": item.code, "aria-label": label });
  function measured(onward) {
    const text = input.value.trim();
    if (text === "" && (now() === undefined || typeof now() === "string")) return onward ? go(item.code, 1) : undefined;
    const value = text === "" ? null : Number(text);
    if (value === now()) return onward ? go(item.code, 1) : undefined;
    return enter(value, { onward });
  }
  if (input && input.tagName === "INPUT") {
    input.addEventListener("change", () => measured(false));
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") { event.preventDefault(); measured(true); }
      const code = item.codes.find((one) => one[0].toLowerCase() === event.key.toLowerCase());
      if (code && !event.ctrlKey && !event.metaKey) { event.preventDefault(); input.value = ""; enter(code); }
      if (["ArrowDown", "ArrowUp"].includes(event.key)) { event.preventDefault(); go(item.code, event.key === "ArrowDown" ? 1 : -1); }
    });
  }
  /** Digits of values from 10 on come one after the other; a digit that no other can follow moves on to the next item. */
  function digits(key) {
    const all = item.allowed.map(String);
    const longer = typed && all.includes(typed + key) ? typed + key : key;
    if (!all.includes(longer)) { enter(Number(longer)); typed = ""; return; }
    const open = all.some((one) => one !== longer && one.startsWith(longer));
    typed = open ? longer : "";
    enter(item.allowed.find((one) => String(one) === longer), { onward: !open });
  }
  function keys(event) {
    if (event.target !== el || event.ctrlKey || event.metaKey || event.altKey) return;
    const code = item.codes.find((one) => one[0].toLowerCase() === event.key.toLowerCase()) ?? item.allowed.find((one) => typeof one === "string" && one.length === 1 && one.toLowerCase() === event.key.toLowerCase());
    if (/^[0-9]$/.test(event.key) && !ctx.saved()) digits(event.key);
    else if (/^[0-9]$/.test(event.key)) enter(Number(event.key));
    else if (event.key === "-" && item.allowed.some((one) => one < 0)) typed = "-";
    else if (code !== undefined) enter(code);
    else if (["Delete", "Backspace"].includes(event.key)) enter(null);
    else if (["ArrowDown", "Enter"].includes(event.key)) go(item.code, 1);
    else if (event.key === "ArrowUp") go(item.code, -1);
    else if (["ArrowLeft", "ArrowRight"].includes(event.key)) go(item.code, event.key === "ArrowRight" ? "right" : "left");
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
  const history = historyButton(ctx, item.code, () => label);
  const unit = input && input.tagName === "INPUT" ? h("span", { class: "xs mute range" }, [item.unit, t("form.range", { low: item.low, high: item.high })].filter(Boolean).join(" · ")) : null;
  const el = h("span", { class: "control", role: "radiogroup", tabindex: few ? "0" : "-1", "aria-label": label, "data-item": item.code, onkeydown: keys, onfocusout: () => { typed = ""; } }, input, unit, h("span", { class: "vals" }, values), history.el);
  return {
    item, el,
    focus: () => (few ? el : input).focus(),
    update() {
      const value = now();
      const off = Boolean(ctx.saved()) && !ctx.correctable();
      el.classList.toggle("open", value === undefined || value === null);
      el.classList.toggle("wrong", ctx.marked === item.code);
      for (const one of values) {
        const on = String(value) === one.dataset.value;
        one.classList.toggle("on", on);
        one.setAttribute("aria-checked", String(on));
        one.disabled = off;
      }
      if (input) {
        const text = value === undefined || value === null || (typeof value === "string" && !item.allowed.includes(value)) ? "" : String(value);
        if (document.activeElement !== input && ctx.marked !== item.code && input.value !== text) input.value = text;
        input.disabled = off;
        input.setAttribute("aria-invalid", String(ctx.marked === item.code));
      }
      history.update();
    },
  };
}

/** All items, in blocks, with the keyboard order. */
export function itemBlocks(ctx, subscore) {
  const { t, model } = ctx;
  const definition = model.get("definition");
  const blocks = blocksOf(definition);
  const controls = new Map();
  const labels = new Map();
  ctx.labelOf = (code) => labels.get(code) || code;
  const order = blocks.flatMap((block) => [0, 1].flatMap((side) => block.rows.filter((row) => row.items[side]).map((row) => row.items[side].code)));
  function go(code, by) {
    const row = blocks.flatMap((block) => block.rows).find((one) => one.items.some((item) => item.code === code));
    if (by === "right" || by === "left") { const other = row.items[by === "right" ? 1 : 0]; if (other) controls.get(other.code).focus(); return; }
    const next = order[Math.min(order.length - 1, Math.max(0, order.indexOf(code) + by))];
    controls.get(next).focus();
  }
  let number = 0;
  const els = blocks.map((block) => {
    const paired = block.rows.some((row) => row.pair);
    const scores = block.scales.map((scale) => ({ scale, el: h("span", { class: "sub s" }) }));
    subscore.push(...scores);
    const title = block.extra ? t("form.extras") : block.scales.length ? wordsOf(t, definition, block.scales[0].code, paired && block.scales.length > 1 ? sideless(block.scales[0].label) : block.scales[0].label) : t("form.others");
    const rows = block.rows.map((row) => {
      number += 1;
      const words = row.pair ? sideless(row.items[0].label) : wordsOf(t, definition, row.items[0].code, bare(row.items[0].label));
      const made = row.items.map((item) => itemControl(ctx, item, row.pair ? `${words}, ${t(`form.side.${sideOf(item.code)}`)}` : words, go));
      row.items.forEach((item, i) => {
        controls.set(item.code, made[i]);
        labels.set(item.code, row.pair ? `${words}, ${t(`form.side.${sideOf(item.code)}`)}` : words);
      });
      return h("div", { class: `item${row.pair ? " pair" : ""}` }, h("span", { class: "no mute" }, number), h("span", { class: "grow two" }, words), made.map((one) => one.el));
    });
    return h("div", { class: `scale-block${paired ? " paired" : ""}` }, h("div", { class: "row between wrap" }, h("b", { class: "semi" }, title), h("span", { class: "row" }, scores.map((one) => one.el))),
      paired ? h("div", { class: "item pair heads xs mute", "aria-hidden": "true" }, h("span", { class: "no" }), h("span", { class: "grow" }), h("span", {}, t("form.side.right")), h("span", {}, t("form.side.left"))) : null, rows);
  });
  return {
    els, order, focus: (code) => controls.get(code ?? order[0]).focus(),
    update() { for (const one of controls.values()) one.update(); },
  };
}
