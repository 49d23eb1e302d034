// The worksheet: 28 rows in two halves. Every key goes to Python in order; the page moves on at once and shows what was typed.
import { h, put, show, whenChanged } from "./dom.js";
import { correctionSheet } from "./entry.js";

const COLUMNS = [["right", "motor"], ["right", "lightTouch"], ["right", "pinPrick"], ["left", "lightTouch"], ["left", "pinPrick"], ["left", "motor"]];
const HALF = 14;

export const segmentWords = (segment) => segment.replace("_", "-");
export const plainValue = (value) => String(value ?? "").replace(/\*+$/, "");
export const tagOf = (value) => (/\*+$/.exec(String(value ?? "")) || [""])[0];

/** Columns of the exam, top to bottom, as codes that exist in the definition. */
export function examColumns(definition) {
  const codes = new Set(definition.items.map((item) => item.code));
  const segments = definition.items.filter((item) => item.code.startsWith("right.lightTouch.")).map((item) => item.code.split(".")[2]);
  return { segments, columns: COLUMNS.map(([side, grid]) => segments.map((segment) => `${side}.${grid}.${segment}`).filter((code) => codes.has(code))) };
}

/** The class of a value: normal, altered, absent, not testable, nothing yet. */
export function kindOf(code, value) {
  if (value === null || value === undefined) return "vno";
  const plain = plainValue(value);
  if (plain === "NT") return "vnt";
  return plain === "0" ? "v0" : plain === (code.includes(".motor.") ? "5" : "2") ? "v2" : "v1";
}

export function worksheet(ctx) {
  const { t, model } = ctx;
  const definition = model.get("definition");
  const byCode = new Map(definition.items.map((item) => [item.code, item]));
  const { segments, columns } = examColumns(definition);
  const cells = new Map();
  const store = { current: columns[1][0], last: null, reached: null, waiting: new Map(), unsent: new Map(), latest: new Map(), frames: new Set() };
  const place = new Map(columns.flatMap((column, x) => column.map((code) => [code, x])));
  const value = (code) => (store.waiting.has(code) ? store.waiting.get(code) : (model.get("items") || {})[code]);
  const empty = (code) => value(code) === undefined || value(code) === null;
  const label = (code) => {
    const [side, grid, segment] = code.split(".");
    const name = `${segmentWords(segment)} ${t(`isncsci.side.${side}`)}`;
    return t("isncsci.cell", { name, grid: grid === "motor" ? t(`isncsci.muscle.${segment}`) : t(`isncsci.${grid}`) });
  };

  function focus(code, { byItself = false } = {}) {
    store.current = code;
    store.reached = byItself ? code : null;
    cells.get(code).focus({ preventScroll: false });
    ctx.redraw();
  }
  function along(code, by) {
    const column = columns[place.get(code)];
    return column[column.indexOf(code) + by];
  }
  function across(code, by) {
    const segment = segments.indexOf(code.split(".")[2]);
    for (let x = place.get(code) + by; x >= 0 && x < columns.length; x += by) {
      const same = columns[x].find((one) => segments.indexOf(one.split(".")[2]) === segment);
      if (same) return same;
    }
    return null;
  }
  const order = columns.flat();
  /** The next cell without a value after this one, from the top again at the end. */
  function nextOpen(code) {
    const from = order.indexOf(code);
    return [...order.slice(from + 1), ...order.slice(0, from + 1)].find(empty) || null;
  }
  function onward(code) {
    const next = along(code, 1) || (columns[place.get(code) + 1] || [])[0];
    focus(next || code, { byItself: true });
  }
  /** What gets no answer stays on the page, marked, and is sent again with the next answer. */
  function send(name, args, codes) {
    for (const code of codes) store.latest.set(code, args);
    return ctx.ask(name, args, codes[0]).then((reply) => {
      if (reply.silent) store.unsent.set(args, [name, codes]);
      else {
        for (const code of newest(args, codes)) store.waiting.delete(code);
        resend();
        if (!reply.ok) focus(codes[0]);
      }
      ctx.redraw();
    });
  }
  const newest = (args, codes) => codes.filter((code) => store.latest.get(code) === args);
  /** Send what got no answer, before anything that follows, for the cells that have no newer value. */
  function resend() {
    const held = [...store.unsent];
    store.unsent.clear();
    for (const [args, [name, codes]] of held) {
      const left = newest(args, codes);
      if (left.length) send(name, { ...args, item: left[0] }, left);
    }
  }
  /** Enter a value: shown at once, kept when Python answers. In a saved exam a reason is asked for first. */
  function enter(code, next, { stay = false } = {}) {
    const item = byCode.get(code);
    const known = next === null || item.allowed.map(String).includes(String(next)) || item.codes.includes(next);
    if (ctx.correctable()) {
      if (String(value(code)) !== String(next)) correctionSheet(ctx, code, label(code), value(code), next, tagOf(next) ? model.get("causes") : []);
      return;
    }
    if (ctx.saved()) { ctx.ask("enter", { item: code, value: next }, code); return; }
    if (known) store.waiting.set(code, next);
    store.last = code;
    send("enter", { item: code, value: next }, [code]);
    if (known && !stay && next !== null) onward(code); else ctx.redraw();
  }
  /** * marks the value just entered, a second * makes it **, a third takes it away. */
  function tag() {
    const code = empty(store.current) && store.last && !empty(store.last) ? store.last : store.current;
    const now = value(code);
    if (now === undefined || now === null) { ctx.tell(t("isncsci.nothing_to_tag"), code); ctx.redraw(); return; }
    if (code !== store.current) focus(code);
    const next = { "": "*", "*": "**", "**": "" }[tagOf(now)];
    const plain = plainValue(now);
    enter(code, next || plain === "NT" ? plain + next : Number(plain), { stay: true });
  }
  /** Fill down, shown at once: the value of this cell, or of the one above an empty one, to the next entered cell. */
  function fill() {
    if (ctx.saved()) { ctx.tell(t("isncsci.fill_saved")); ctx.redraw(); return; }
    const from = empty(store.current) ? along(store.current, -1) : store.current;
    const first = empty(store.current) ? store.current : along(store.current, 1);
    const now = from && value(from);
    if (!first || now === undefined || now === null) { ctx.tell(t("isncsci.nothing_to_fill"), store.current); ctx.redraw(); return; }
    const column = columns[place.get(first)];
    const rest = column.slice(column.indexOf(first));
    const end = rest.findIndex((code) => !empty(code));
    const cells = end < 0 ? rest : rest.slice(0, end);
    const known = cells.length > 0 && !tagOf(now);
    if (known) for (const code of cells) store.waiting.set(code, now);
    send("fill", { item: first, value: now }, known ? cells : [first]);
    if (known) focus(nextOpen(first) || first);
  }
  function step(event, code) {
    const key = event.key;
    const max = code.includes(".motor.") ? 5 : 2;
    if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === "z") return ctx.ask("undo");
    if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === "d") return fill();
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    // A further key never overwrites a value that the worksheet came to by itself: the cell is chosen first.
    if (/^[0-9n]$/i.test(key) && store.reached === code && !empty(code) && !ctx.saved()) return ctx.tell(t("isncsci.filled", { value: value(code) }), code) ?? ctx.redraw();
    if (/^[0-9]$/.test(key)) return enter(code, Number(key), { stay: Number(key) > max });
    if (key.toLowerCase() === "n") return enter(code, `NT${tagOf(value(code))}`);
    if (key === "*" || key === "×") return tag();
    if (key.toLowerCase() === "f") return fill();
    if (["Delete", "Backspace"].includes(key)) return enter(code, null);
    const next = { ArrowDown: along(code, 1), ArrowUp: along(code, -1), ArrowLeft: across(code, -1), ArrowRight: across(code, 1), Enter: nextOpen(code) || along(code, 1),
      Home: columns[place.get(code)][0], End: columns[place.get(code)].at(-1) }[key];
    if (next) return focus(next);
    if (key === "Tab") {
      const column = columns[place.get(code) + (event.shiftKey ? -1 : 1)];
      return column ? focus(column.find(empty) || column[0]) : false;
    }
    return ["ArrowDown", "ArrowUp", "ArrowLeft", "ArrowRight", "Enter"].includes(key) ? undefined : false;
  }
  function keys(event, code) {
    if (step(event, code) === false) return;
    event.preventDefault();
    event.stopPropagation();
  }

  function cell(side, grid, segment) {
    const code = `${side}.${grid}.${segment}`;
    if (!byCode.has(code)) return h("span", { class: "k none", role: "presentation" });
    const one = h("span", { class: "k", role: "gridcell", tabindex: "-1", "data-cell": code, onkeydown: (event) => keys(event, code), onfocus: () => { if (store.current !== code) { store.current = code; store.reached = null; ctx.redraw(); } }, onclick: () => focus(code) }, h("b", {}));
    cells.set(code, one);
    return one;
  }
  function half(part) {
    const head = [["right", 3], ["", 1], ["left", 3]].map(([side, n]) => h("span", { class: "sd", style: `grid-column:span ${n}` }, side ? t(`isncsci.head.${side}`) : ""));
    const names = [...COLUMNS.slice(0, 3), null, ...COLUMNS.slice(3)].map((one) => h("span", { class: "ch" }, one ? t(`isncsci.short.${one[1]}`) : ""));
    const rows = part.map((segment) => h("div", { class: "rw", role: "row" }, COLUMNS.slice(0, 3).map(([side, grid]) => cell(side, grid, segment)),
      h("span", { class: `sg ${byCode.has(`right.motor.${segment}`) ? "key" : ""}`, role: "rowheader" }, segmentWords(segment)), COLUMNS.slice(3).map(([side, grid]) => cell(side, grid, segment))));
    return h("div", { class: "bl" }, head, names, rows);
  }
  const el = h("div", { class: "panel ws", role: "grid", "aria-label": t("isncsci.worksheet") }, half(segments.slice(0, HALF)), half(segments.slice(HALF)));

  return {
    el, store, label, value, enter, tag, fill, focus, nextOpen, byCode, resend,
    has: (code) => cells.has(code),
    update() {
      const bare = new Set((model.get("result") || {}).bare || []);
      const unsent = new Set([...store.unsent].flatMap(([args, [, codes]]) => newest(args, codes)));
      const notes = ((model.get("fields") || {}).options || {}).notes || {};
      for (const [code, one] of cells) {
        const now = value(code);
        const wrong = ctx.marked === code;
        const name = `k ${kindOf(code, now)}${store.frames.has(code) ? " why" : ""}${code === store.current ? " cur" : ""}${wrong || bare.has(code) ? " wrong" : ""}${notes[code] ? " noted" : ""}${unsent.has(code) ? " unsent" : ""}`;
        if (one.className !== name) one.className = name;
        put(one.firstChild, now === null || now === undefined ? "" : now);
        const words = `${label(code)}: ${now === null || now === undefined ? t("isncsci.legend.vno") : now}${notes[code] ? `, ${notes[code]}` : ""}`;
        if (one.getAttribute("aria-label") !== words) one.setAttribute("aria-label", words);
        one.setAttribute("tabindex", code === store.current ? "0" : "-1");
        one.setAttribute("aria-invalid", String(wrong || bare.has(code)));
      }
    },
  };
}

/** The keypad beside the worksheet: the same keys for fingers, and the reason of a tagged or untested cell. */
export function keypad(ctx, sheetOf, history) {
  const { t, model } = ctx;
  const name = h("h2", {});
  const grid = h("div", { class: "pad" });
  const cause = h("select", { class: "field", "data-name": "cell-cause", "aria-label": t("isncsci.tag_reason"), onchange: () => { if (cause.value) ctx.ask("explain", { item: sheetOf.store.current, cause: cause.value }, sheetOf.store.current); } },
    h("option", { value: "" }, t("isncsci.choose_reason")), (model.get("causes") || []).map((one) => h("option", { value: one }, t(`isncsci.reason.${one}`, {}, one))));
  const note = h("input", { class: "field", type: "text", "data-name": "cell-note", placeholder: t("isncsci.note"), "aria-label": t("isncsci.note"), onchange: () => ctx.ask("note", { item: sheetOf.store.current, words: note.value }, sheetOf.store.current) });
  const hint = h("div", { class: "xs mute hint" }, t("isncsci.keys"));
  const keys = [];
  const key = (words, press, extra = {}) => h("button", { type: "button", class: "btn", ...extra, onclick: press }, words);
  const build = whenChanged((motor) => {
    keys.length = 0;
    for (let n = 0; n <= (motor ? 5 : 2); n += 1) keys.push([String(n), key(n, () => sheetOf.enter(sheetOf.store.current, n), { "data-key": n })]);
    keys.push(["NT", key("NT", () => sheetOf.enter(sheetOf.store.current, "NT"), { "data-key": "NT" })]);
    grid.replaceChildren(...keys.map(([, one]) => one), key("*", sheetOf.tag, { title: t("isncsci.tag"), "aria-label": t("isncsci.tag") }),
      ...(motor ? [] : [key(t("isncsci.delete"), () => sheetOf.enter(sheetOf.store.current, null), { class: "btn s2" })]),
      key([t("isncsci.fill"), h("kbd", {}, "F")], sheetOf.fill, { class: `btn s2${motor ? "" : " w2"}`, "data-name": "fill" }),
      key([t("isncsci.next"), h("kbd", {}, "↵")], () => sheetOf.focus(sheetOf.nextOpen(sheetOf.store.current) || sheetOf.store.current), { class: `btn s2${motor ? "" : " w2"}`, "data-name": "next" }));
  });
  return {
    el: h("section", { class: "panel keypad" }, h("div", { class: "bd" }, h("div", { class: "row between" }, name, history.el), grid, h("div", { class: "reason" }, cause, note, hint), ctx.problem)),
    update() {
      const code = sheetOf.store.current;
      const now = sheetOf.value(code);
      const options = (model.get("fields") || {}).options || {};
      build(code.includes(".motor."));
      put(name, sheetOf.label(code));
      for (const [value, one] of keys) {
        one.classList.toggle("sel", now !== undefined && now !== null && plainValue(now) === value);
        one.setAttribute("aria-pressed", String(plainValue(now) === value));
      }
      const tagged = Boolean(tagOf(now));
      show(cause, tagged);
      show(note, !tagged && plainValue(now) === "NT");
      show(hint, !tagged && plainValue(now) !== "NT");
      cause.value = (options.reasons || {})[code] || "";
      cause.disabled = Boolean(ctx.saved());
      if (document.activeElement !== note) note.value = (options.notes || {})[code] || "";
      note.disabled = Boolean(ctx.saved());
      history.update(code);
    },
  };
}
