// Shared by the forms of all measures: requests, the condition and other circumstances, drafts, corrections, history.
import { button, h, knows, put, request, show, whenChanged } from "./dom.js";
import { WARNING, light } from "./icons.js";

const CONDITION = [["assisted", "yes", "no"], ["device_on", "on", "off"], ["stimulation_on", "on", "off"]];

/** 2026-11-21T08:31:00Z → 21 Nov 2026, 08:31 in the language of the page, in local time. */
export function when(t, utc) {
  const date = new Date(utc);
  return Number.isNaN(date.getTime()) ? utc || "—" : date.toLocaleString(t("form.locale"), { dateStyle: "medium", timeStyle: "medium" });
}

/** A value for display: yes and no as words, nothing as a dash. */
export function told(t, field, value) {
  if (value === null || value === undefined || value === "") return "—";
  if (typeof value === "boolean") return t(`form.${field}.${value ? (field === "assisted" ? "yes" : "on") : (field === "assisted" ? "no" : "off")}`);
  if (typeof value === "object") return JSON.stringify(value);
  return t(`form.${field}.${value}`, {}, String(value));
}

/** The texts of a list in the language of the page. */
export function saidAll(t, holder, field) {
  return (holder[field] || []).map((text, i) => t.said({ text, said: { text: holder.said?.[field]?.[i] } }, "text"));
}

/** The context of a form's parts: the model, its texts, requests, and whether a saved assessment is open. */
export function entryContext(root, model, t) {
  const problem = h("div", { class: "fielderror", role: "alert", "data-name": "problem" });
  show(problem, false);
  const ctx = { root, model, t, problem, marked: null };
  ctx.labelOf = null;
  /** A refusal names the item as the page does, not by its code. */
  const inWords = (text, cell) => (cell && ctx.labelOf && text ? text.replace(new RegExp(`(${model.get("definition").name} (item|条目) )?${cell.replaceAll(".", "\\.")}`), ctx.labelOf(cell)) : text);
  ctx.tell = (text, cell = null) => {
    put(problem, inWords(text, cell));
    show(problem, Boolean(text));
    ctx.marked = text ? cell : null;
  };
  ctx.ask = (name, args = {}, cell = null) => request(model, name, args, 20).then((reply) => {
    ctx.tell(reply.ok ? "" : reply.silent ? t("form.not_saved") : t.said(reply, "text"), cell);
    ctx.silent = Boolean(reply.silent);
    if (ctx.redraw) ctx.redraw();
    return reply;
  });
  ctx.saved = () => model.get("saved") || "";
  ctx.kept = () => model.get("kept") || { lacking: CONDITION.map(([name]) => name).filter((name) => (model.get("condition") || {})[name] === undefined) };
  ctx.correctable = () => Boolean(ctx.saved() && ctx.kept().id);
  return ctx;
}

/** A dialog in the page; `fill(box, close)` puts its content in. Escape closes it, focus returns. */
export function sheet(ctx, title, fill, name) {
  const back = document.activeElement;
  const box = h("dialog", { class: "sheet", "data-name": name || undefined, "aria-label": title });
  const close = () => { box.close(); box.remove(); if (back && back.isConnected) back.focus(); };
  box.addEventListener("cancel", (event) => { event.preventDefault(); close(); });
  box.addEventListener("keydown", (event) => event.stopPropagation());
  box.append(h("div", { class: "row between" }, h("h2", {}, title), button(ctx.t("form.close"), close, { kind: "quiet", name: "close" })));
  fill(box, close);
  ctx.root.append(box);
  box.showModal();
  return close;
}

/** A confirmation before an action that removes much. */
export function confirmSheet(ctx, title, words, verb, act) {
  sheet(ctx, title, (box, close) => {
    box.append(h("p", { class: "s" }, words), h("div", { class: "row wrap end" }, button(ctx.t("form.keep"), close),
      button(verb, () => { close(); act(); }, { kind: "pri", name: "confirm" })));
  }, "confirm-sheet");
}

/** A correction: what changes, and why. `cause` lists the reasons of a tagged score, when it is one. */
export function correctionSheet(ctx, field, label, from, to, cause = []) {
  const { t } = ctx;
  sheet(ctx, t("form.correct"), (box, close) => {
    const reason = h("textarea", { class: "field area", rows: 2, "data-name": "reason", "aria-label": t("form.reason") });
    const pick = h("select", { class: "field", "data-name": "cause" }, h("option", { value: "" }, t("isncsci.choose_reason")), cause.map((one) => h("option", { value: one }, t(`isncsci.reason.${one}`, {}, one))));
    const say = h("div", { class: "fielderror", role: "alert" });
    const go = button(t("form.correct_now"), () => {
      if (!reason.value.trim()) { put(say, t("form.reason_needed")); reason.focus(); return; }
      ctx.ask("correct", { field, value: to, reason: reason.value, ...(cause.length ? { cause: pick.value } : {}) }).then((reply) => {
        if (reply.ok) close(); else { put(say, reply.silent ? t("form.not_saved") : t.said(reply, "text")); ctx.tell(""); }
      });
    }, { kind: "pri", name: "correct" });
    box.append(...[h("p", {}, h("b", { class: "semi" }, label), ": ", told(t, field, from), " → ", h("b", { class: "semi" }, told(t, field, to))),
      cause.length ? h("label", { class: "stacked" }, h("span", { class: "s sub" }, t("isncsci.tag_reason")), pick) : null,
      h("label", { class: "stacked" }, h("span", { class: "s sub" }, t("form.reason")), reason), say,
      h("p", { class: "xs mute" }, t("form.correct_kept")), h("div", { class: "row wrap end" }, button(t("form.keep"), close), go)].filter(Boolean));
    reason.addEventListener("input", () => put(say, ""));
    reason.addEventListener("keydown", (event) => { if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); go.click(); } });
    setTimeout(() => (cause.length ? pick : reason).focus(), 0);
  }, "correction");
}

/** Who changed a field, when, from what to what, and why. */
export function historySheet(ctx, field, label) {
  const { t } = ctx;
  ctx.ask("history", { field }).then((reply) => {
    const rows = (reply.ok && reply.value) || [];
    sheet(ctx, t("form.history_of", { field: label }), (box) => {
      box.append(rows.length ? h("table", { class: "grid", "data-name": "history" },
        h("tr", {}, ["when", "who", "change", "why"].map((one) => h("th", {}, t(`form.history.${one}`)))),
        rows.map((one) => h("tr", {}, h("td", { class: "nowrap" }, when(t, one.utc), one.entered && one.entered !== one.utc ? h("div", { class: "xs sub" }, t("form.history.entered", { at: when(t, one.entered) })) : null), h("td", {}, one.actor),
          h("td", { class: "nowrap" }, one.redacted ? t("form.history.redacted") : `${told(t, field, one.from)} → ${told(t, field, one.to)}`), h("td", {}, t.said(one, "reason") || "—"))))
        : h("p", { class: "empty" }, t("form.history.none")));
    }, "history-sheet");
  });
}

export function historyButton(ctx, field, label) {
  const { t } = ctx;
  const one = h("button", { type: "button", class: "hist", title: t("form.history"), "aria-label": `${t("form.history")}: ${label()}`, "data-history": field,
    onclick: () => historySheet(ctx, field, label()) }, h("span", { html: CLOCK }));
  return { el: one, update: () => show(one, Boolean(ctx.kept().id)) };
}

const CLOCK = '<svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><circle cx="8" cy="8" r="6.3" fill="none" stroke="currentColor" stroke-width="1.5"/><path d="M8 4.4V8l2.6 1.6" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round"/></svg>';

/** A group of buttons of which one may be chosen; none is at the start. */
export function choice(label, options, choose, name = "") {
  const buttons = options.map(([value, word]) => h("button", { type: "button", "aria-pressed": "false", "data-name": name ? `${name}-${value}` : undefined, onclick: () => choose(value) }, h("span", {}, word)));
  return {
    el: h("div", { class: "seg", role: "group", "aria-label": label }, buttons),
    update(now, off = false) {
      buttons.forEach((one, i) => {
        one.classList.toggle("on", options[i][0] === now);
        one.setAttribute("aria-pressed", String(options[i][0] === now));
        one.disabled = off;
      });
    },
  };
}

/** One value of a list, beside the cells of an exam; in a saved exam a change asks for its reason. */
export function picker(ctx, code, label, name, words = String) {
  const { model } = ctx;
  const allowed = model.get("definition").extras.find((one) => one.code === code).allowed;
  const now = () => (model.get("items") || {})[code];
  const el = h("select", { class: "field pick", "data-name": name, "aria-label": label, onchange: () => {
    const value = el.value || null;
    if (ctx.correctable()) { correctionSheet(ctx, code, label, now(), value); ctx.redraw(); } else ctx.ask("enter", { item: code, value });
  } }, h("option", { value: "" }, "–"), allowed.map((one) => h("option", { value: one }, words(one))));
  return { el, update() { el.value = now() ?? ""; el.disabled = Boolean(ctx.saved()) && !ctx.correctable(); } };
}

/** Condition and circumstances. In a saved assessment each change asks for its reason. */
export function circumstances(ctx) {
  const { t, model } = ctx;
  const definition = model.get("definition");
  const parts = [];
  const set = (field, request, args, value, from) => {
    if (ctx.correctable()) correctionSheet(ctx, field, t(`form.${field}`), from, value);
    else ctx.ask(request, args);
  };
  const part = (field, control, { wide = false } = {}) => {
    const history = historyButton(ctx, field, () => t(`form.${field}`));
    const el = h("div", { class: `choice${wide ? " wide" : ""}`, "data-field": field }, h("span", { class: "xs sub row" }, t(`form.${field}`), history.el), control.el);
    parts.push({ field, el, update: (off) => { control.update(off); history.update(); } });
    return el;
  };
  const seg = (field, options, now, request, args) => {
    const made = choice(t(`form.${field}`), options, (value) => set(field, request, args(value), value, now()), field === "side" ? "side" : field);
    return { el: made.el, update: (off) => made.update(now(), off) };
  };
  const box = (field, kind, { unit = "", ...more } = {}) => {
    const input = h("input", { class: "field", type: kind === "number" ? "number" : "text", "data-name": field, "aria-label": t(`form.${field}`), ...more });
    input.addEventListener("change", () => {
      const value = kind === "number" ? (input.value === "" ? null : Number(input.value)) : input.value;
      set(field, "choose_field", { name: field, value }, value, (model.get("fields") || {})[field]);
    });
    return {
      el: unit ? h("span", { class: "row" }, input, h("span", { class: "s mute" }, unit)) : input,
      update: (off) => {
        const now = (model.get("fields") || {})[field];
        const text = now === null || now === undefined ? "" : String(now);
        if (document.activeElement !== input && input.value !== text) input.value = text;
        input.disabled = off;
      },
    };
  };
  /** A time in this computer's time zone; stored in UTC. */
  const moment = (name) => {
    const local = (utc) => { const date = new Date(utc); return Number.isNaN(date.getTime()) ? "" : new Date(date.getTime() - 60000 * date.getTimezoneOffset()).toISOString().slice(0, 19); };
    const input = h("input", { class: "field moment", type: "datetime-local", step: 1, "data-name": name, "aria-label": t(`form.${name}`) });
    input.addEventListener("change", () => {
      const value = input.value ? `${new Date(input.value).toISOString().slice(0, 19)}Z` : "";
      set(name, "choose_field", { name, value }, value, (model.get("fields") || {})[name]);
    });
    return {
      el: input,
      update: (off) => {
        const text = local((model.get("fields") || {})[name]);
        if (document.activeElement !== input && input.value !== text) input.value = text;
        input.disabled = off;
      },
    };
  };
  const field = (name) => () => (model.get("fields") || {})[name];
  const els = CONDITION.map(([name, yes, no]) => part(name, seg(name, [[true, t(`form.${name}.${yes}`)], [false, t(`form.${name}.${no}`)]], () => (model.get("condition") || {})[name], "choose", (value) => ({ name, value }))));
  const sides = definition.sides.filter(Boolean);
  if (sides.length) els.push(part("side", seg("side", sides.map((one) => [one, t(`form.side.${one}`, {}, one)]), () => model.get("side"), "choose_side", (side) => ({ side }))));
  if (definition.modes.length > 1) els.push(part("mode", seg("mode", definition.modes.map((one) => [one, t(`form.mode.${one}`, {}, one)]), field("mode"), "choose_field", (value) => ({ name: "mode", value }))));
  const more = [
    part("blinded", seg("blinded", ["yes", "no", "unknown"].map((one) => [one, t(`form.blinded.${one}`)]), field("blinded"), "choose_field", (value) => ({ name: "blinded", value }))),
    part("rater", box("rater", "text")), part("orthosis", box("orthosis", "text", { placeholder: t("form.orthosis.none") })),
    part("since_session_h", box("since_session_h", "number", { min: 0, step: "any", unit: t("unit.hours") })),
    part("washout_h", box("washout_h", "number", { min: 0, step: "any", unit: t("unit.hours") })),
    part("administered_at", moment("administered_at")),
    part("repeat", box("repeat", "number", { min: 1, step: 1 })),
  ];
  for (const one of definition.options.filter((option) => option.allowed && option.allowed.length)) {
    const made = choice(one.label, one.allowed.map((value) => [value, t(`form.option.${one.name}.${value}`, {}, String(value))]), (value) => ctx.ask("choose_option", { name: one.name, value }), `option-${one.name}`);
    const el = h("div", { class: "choice" }, h("span", { class: "xs sub" }, t(`form.option.${one.name}`, {}, one.label)), made.el);
    const now = () => ((model.get("fields") || {}).options || {})[one.name] ?? one.default;
    parts.push({ field: "", el, update: () => made.update(now(), Boolean(ctx.saved())) });
    more.push(el);
  }
  return {
    els, more,
    update() {
      const lacking = new Set(ctx.kept().lacking || []);
      for (const one of parts) {
        one.update(Boolean(ctx.saved()) && !ctx.correctable());
        one.el.classList.toggle("open", lacking.has(one.field));
      }
    },
  };
}

/** The condition in one line, for a form that folds it away. */
export function conditionWords(ctx) {
  const { t, model } = ctx;
  const condition = model.get("condition") || {};
  const fields = model.get("fields") || {};
  const known = CONDITION.filter(([name]) => condition[name] !== undefined).map(([name, yes, no]) => t(`form.${name}.${condition[name] ? yes : no}`));
  const more = [fields.orthosis ? t("form.with_orthosis", { what: fields.orthosis }) : null, fields.blinded && fields.blinded !== "unknown" ? t(`form.blinded.words.${fields.blinded}`) : null,
    fields.since_session_h !== null && fields.since_session_h !== undefined ? t("form.since", { n: fields.since_session_h }) : null, fields.repeat > 1 ? t("form.repeat_n", { n: fields.repeat }) : null];
  return [...known, ...more].filter(Boolean);
}

/** What still has to be chosen, as a sentence. */
export function lackingWords(ctx) {
  const names = ctx.kept().lacking || [];
  return names.length ? ctx.t("form.needs", { what: names.map((one) => ctx.t(`form.${one}`)).join(ctx.t("form.and")) }) : "";
}

/** Where the entries are: on this page only, in a draft, or saved. */
export function keptWords(ctx) {
  const { t } = ctx;
  const kept = ctx.kept();
  if (ctx.silent) return ["high", t("form.not_saved")];
  if (kept.fault) return [kept.where === "file" ? "medium" : "high", `${t(kept.where === "file" ? "form.kept.fault_file" : "form.kept.fault")} ${t.said(kept, "fault")}`];
  if (ctx.saved()) return ["ok", t.said(kept, "saved")];
  if (kept.kept_at && kept.where) return ["dot", t(`form.kept.${kept.where}`, { time: new Date(kept.kept_at).toLocaleTimeString("en-GB") })];
  return null;
}

/** Drafts and saved assessments of this visit, offered before anything is entered. */
export function offers(ctx) {
  const { t, model } = ctx;
  const el = h("div", { class: "offers", "data-name": "offers" });
  const draw = whenChanged((rows, open) => {
    el.replaceChildren(...rows.map((row) => {
      const draft = row.state === "draft";
      const facts = [t(`form.state.${row.state}`), row.kept_at ? when(t, row.kept_at) : null, row.rater, t("form.cells", { n: row.n }),
        ...CONDITION.filter(([name]) => row[name] !== null && row[name] !== undefined).map(([name, yes, no]) => t(`form.${name}.${row[name] ? yes : no}`)),
        row.side ? t(`form.side.${row.side}`) : null, row.repeat > 1 ? t("form.repeat_n", { n: row.repeat }) : null].filter(Boolean).join(" · ");
      return h("div", { class: `offer ${draft ? "draft" : ""}` }, light(draft ? "low" : "ok", facts), button(t(draft ? "form.continue" : "form.reopen"), () => open(row), { name: draft ? "continue" : "reopen" }));
    }));
  });
  return {
    el,
    update() {
      const entered = Object.values(model.get("items") || {}).some((value) => value !== null);
      const rows = entered && !ctx.saved() ? [] : (model.get("stored") || []).filter((row) => row.id !== ctx.kept().id || (!row.id && !entered));
      show(el, rows.length > 0);
      draw(rows, (row) => ctx.ask("reopen", { row_id: row.id }));
    },
  };
}

/** Identity of the form: participant in large type, then study and visit. The form is bound to that visit. */
export function identityOf(ctx) {
  const [study, participant, visit] = ctx.model.get("place") || [];
  if (!participant) return null;
  return h("div", { class: "formid", role: "group", "aria-label": ctx.t("bar.where"), "data-name": "form-identity" }, h("b", {}, participant), h("span", { class: "xs sub" }, [study, visit].filter(Boolean).join(" · ")));
}

/** Alerts that require immediate action, whatever the total. */
export function alarms(ctx) {
  const el = h("div", { class: "alarms" });
  const draw = whenChanged((result) => el.replaceChildren(...saidAll(ctx.t, result, "alerts").map((words) => h("div", { class: "msg high", role: "alert", "data-name": "alert" }, h("span", { html: WARNING.high }),
    h("div", {}, h("div", { class: "w" }, ctx.t("form.alert")), h("div", { class: "s" }, words))))));
  return { el, update: () => draw(ctx.model.get("result") || {}) };
}

/** Label of an item or a subscale: from the catalogue where it has one, else from the definition. */
export function wordsOf(t, definition, code, words) {
  const key = `measure.${definition.name}.${code}`;
  return knows(key) ? t(key) : words;
}
