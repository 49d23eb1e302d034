// One administration of one measure. Digit = value and on to the next, arrows move, Delete takes a value back.
// Every number comes from the measure's own scorer; nothing is added up here.
import { button, followLanguage, followTheme, h, knows, put, request, show, whenChanged } from "./parts/dom.js";
import { light } from "./parts/icons.js";

const CHOICES = [["assisted", "yes", "no"], ["device_on", "on", "off"], ["stimulation_on", "on", "off"]];

function buildForm(root, model, t, store) {
  const definition = model.get("definition");
  const wordsOf = (code, words) => (knows(`measure.${definition.name}.${code}`) ? t(`measure.${definition.name}.${code}`) : words);
  const order = definition.items.map((item) => item.code);
  const rows = new Map();
  const problem = h("div", { class: "fielderror", role: "alert" });
  const saveSay = h("div", { class: "s", role: "status" });
  const count = h("span", { class: "rt" });

  function ask(name, args = {}) {
    return request(model, name, args, 20).then((reply) => {
      store.unsaved = Boolean(reply.silent);
      put(problem, reply.ok ? "" : reply.silent ? t("form.not_saved") : reply.text);
      show(problem, Boolean(problem.textContent));
      draw();
      return reply;
    });
  }
  function go(code, by) {
    const next = order[Math.min(order.length - 1, Math.max(0, order.indexOf(code) + by))];
    rows.get(next).row.focus();
  }
  function keys(event, item) {
    if (model.get("saved") || event.ctrlKey || event.metaKey || event.altKey) return;
    const digit = /^[0-9]$/.test(event.key) ? Number(event.key) : null;
    if (digit !== null) {
      ask("enter", { item: item.code, value: digit }).then((reply) => { if (reply.ok) go(item.code, 1); });
    } else if (["Delete", "Backspace"].includes(event.key)) ask("enter", { item: item.code, value: null });
    else if (["ArrowDown", "Enter"].includes(event.key)) go(item.code, 1);
    else if (event.key === "ArrowUp") go(item.code, -1);
    else return;
    event.preventDefault();
  }
  function itemRow(item, number) {
    const values = item.allowed.map((value) => h("button", { type: "button", class: "val", tabindex: "-1", role: "radio", "aria-checked": "false", "data-value": value,
      onclick: () => { ask("enter", { item: item.code, value }); row.focus(); } }, value));
    const words = wordsOf(item.code, item.words.replace(/^[^:]*: /, ""));
    const row = h("div", { class: "item", tabindex: "0", role: "radiogroup", "aria-label": `${number}. ${words}`, "data-item": item.code, onkeydown: (event) => keys(event, item) },
      h("span", { class: "no mute" }, number), h("span", { class: "grow two" }, words), h("span", { class: "vals" }, values));
    rows.set(item.code, { row, values });
    return row;
  }
  const blocks = definition.subscales.map((scale) => {
    const score = h("span", { class: "sub s" });
    const inside = definition.items.filter((item) => scale.items.includes(item.code));
    const el = h("div", { class: "scale-block" }, h("div", { class: "row between" }, h("b", { class: "semi" }, wordsOf(scale.code, scale.words)), score),
      inside.map((item) => itemRow(item, order.indexOf(item.code) + 1)));
    return { scale, score, el };
  });

  function choiceRow([name, yes, no]) {
    const option = (value, word) => h("button", { type: "button", "aria-pressed": "false", "data-name": `${name}-${value}`, onclick: () => ask("choose", { name, value }) }, t(`form.${name}.${word}`));
    const buttons = [option(true, yes), option(false, no)];
    return { name, buttons, el: h("div", { class: "choice" }, h("span", { class: "xs sub" }, t(`form.${name}`)), h("div", { class: "seg", role: "group", "aria-label": t(`form.${name}`) }, buttons)) };
  }
  const choices = CHOICES.map(choiceRow);
  const sides = definition.sides.filter(Boolean).map((side) => h("button", { type: "button", "aria-pressed": "false", "data-name": `side-${side}`, onclick: () => ask("choose_side", { side }) }, t(`form.side.${side}`, {}, side)));
  const sideBox = h("div", { class: "choice" }, h("span", { class: "xs sub" }, t("form.side")), h("div", { class: "seg", role: "group", "aria-label": t("form.side") }, sides));
  const lacking = h("span", { class: "s sub" });
  const save = button(t("form.save"), () => ask("save"), { kind: "pri", name: "save" });
  const anew = button(t("form.anew"), () => ask("anew").then(() => rows.get(order[0]).row.focus()), { name: "anew" });
  const total = h("div", { class: "total", "data-name": "total" });
  const totalCap = h("div", { class: "xs mute" });
  const subs = h("dl", { class: "kv" });
  const warnings = h("div", { class: "xs sub stack" });

  const value = (one) => (one && one.status === "ok" ? one.value : one ? one.status : "—");
  const drawResult = whenChanged((result) => {
    const all = result.total || {};
    put(total, value(all));
    put(totalCap, t("form.total", { low: all.low ?? definition.low, high: all.high ?? definition.high, valid: all.n_valid ?? 0, items: all.n_items ?? order.length }));
    subs.replaceChildren(...blocks.flatMap(({ scale }) => {
      const one = (result.subscores || {})[scale.code];
      return [h("dt", {}, wordsOf(scale.code, scale.words)), h("dd", {}, `${value(one)} / ${scale.high}`)];
    }));
    for (const { scale, score } of blocks) {
      const one = (result.subscores || {})[scale.code] || {};
      put(score, t("form.subscore", { value: value(one), high: scale.high, valid: one.n_valid ?? 0, items: one.n_items ?? scale.items.length }));
    }
    warnings.replaceChildren(...(result.warnings || []).map((one) => h("div", {}, light("low", one, false))));
  });

  function draw() {
    const items = model.get("items") || {};
    const condition = model.get("condition") || {};
    const saved = model.get("saved") || "";
    for (const [code, { row, values }] of rows) {
      const now = items[code];
      row.classList.toggle("open", now === undefined || now === null);
      for (const one of values) {
        const on = String(now) === one.dataset.value;
        one.classList.toggle("on", on);
        one.setAttribute("aria-checked", String(on));
        one.disabled = Boolean(saved);
      }
    }
    for (const { name, buttons, el } of choices) {
      buttons.forEach((one, i) => press(one, condition[name] === (i === 0), saved));
      el.classList.toggle("open", condition[name] === undefined);
    }
    const side = model.get("side");
    sides.forEach((one) => press(one, one.dataset.name === `side-${side}`, saved));
    sideBox.classList.toggle("open", !side);
    show(sideBox, sides.length > 0);
    const open = [...CHOICES.map(([name]) => name).filter((name) => condition[name] === undefined).map((name) => t(`form.${name}`)), ...(sides.length && !side ? [t("form.side")] : [])];
    save.disabled = open.length > 0 || Boolean(saved);
    put(lacking, saved ? "" : open.length ? t("form.needs", { what: open.join(t("form.and")) }) : "");
    const done = order.filter((code) => items[code] !== undefined && items[code] !== null).length;
    put(count, t("form.entered", { n: done, all: order.length }));
    show(save, !saved);
    show(anew, Boolean(saved));
    saveSay.replaceChildren(...(saved ? [light("ok", saved)] : []));
    drawResult(model.get("result") || {});
  }
  function press(one, on, saved) {
    one.classList.toggle("on", on);
    one.setAttribute("aria-pressed", String(on));
    one.disabled = Boolean(saved);
  }

  root.append(h("div", { class: "panel" }, h("div", { class: "hd" }, h("h2", {}, definition.title), h("span", { class: "s mute" }, t("form.version", { version: definition.version })), count),
    h("div", { class: "bd form" },
      h("div", { class: "conditions" }, choices.map((one) => one.el), sideBox),
      h("div", { class: "blocks" }, blocks.map((one) => one.el)),
      h("div", { class: "result" }, h("div", { class: "xs sub" }, t("form.result")), total, totalCap, subs, warnings,
        h("div", { class: "xs mute" }, t("form.keys")), problem, h("div", { class: "row wrap" }, save, anew), lacking, saveSay))));
  show(problem, false);
  const names = "change:items change:condition change:side change:result change:saved";
  model.on(names, draw);
  draw();
  return () => model.off(names, draw);
}

function render({ model, el }) {
  const root = h("div", { class: "wb wb-panel" });
  el.append(root);
  const store = { unsaved: false };
  const stops = [followTheme(root, model), followLanguage(root, model, (host, t) => buildForm(host, model, t, store))];
  return () => stops.forEach((stop) => stop());
}

export default { render };
