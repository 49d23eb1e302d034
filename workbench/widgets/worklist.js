// The worklist. A row only selects; the code decides who the participant is.
import { button, classIf, followLanguage, followTheme, h, named, put, request, show, whenChanged } from "./parts/dom.js";
import { light } from "./parts/icons.js";

const LAMP = { ready: "ok", check: "medium", hold: "high", session: "dot", done: "off", not_due: "off" };
const LOOK_MS = 20000;

const say = (t, one) => (one.key ? t(one.key, Object.fromEntries(Object.entries(one.args || {}).map(([name, value]) => [name, typeof value === "string" ? t.said(one.args, name) : value])), one.text || one.key) : t.said(one, "text"));

function windowBar(t, frame) {
  if (!frame || !frame.key) return null;
  return h("div", {}, h("div", { class: "xs sub" }, say(t, frame)),
    Number.isFinite(frame.part) ? h("div", { class: "window", "aria-hidden": "true" }, h("i", { style: `left:${(100 * Math.min(1, Math.max(0, frame.part))).toFixed(1)}%` })) : null);
}

/** The list. Arrow keys select, Enter goes to the code, `/` to the search. */
function list(t, model, ctx) {
  const body = h("tbody");
  const search = h("input", { class: "field find", type: "search", placeholder: t("worklist.find"), "aria-label": t("worklist.find"), "data-name": "find" });
  const none = h("div", { class: "empty" }, t("worklist.empty"));
  const table = h("table", { class: "rows" }, h("thead", {}, h("tr", {}, ["time", "participant", "visit", "device", "open", "state"].map((name) => h("th", { class: name, scope: "col" }, t(`worklist.col.${name}`))))), body);
  const opener = (row) => h("button", { type: "button", class: "link xs", "data-name": `open-${row.participant}`, "aria-label": t("worklist.open_of", { participant: row.participant }), onclick: (event) => { event.stopPropagation(); ctx.ask("open_participant", { visit: row.visit }); } }, t("worklist.open_page"));
  const draw = whenChanged(([rows, chosen, words]) => {
    const shown = rows.filter((row) => !words || `${row.participant} ${row.visit_name}`.toLowerCase().includes(words));
    show(none, shown.length === 0);
    body.replaceChildren(...shown.map((row) => h("tr", { class: row.visit === chosen ? "on" : "", "data-visit": row.visit, onclick: () => { ctx.choose(row.visit); ctx.toCode(); } },
      h("td", { class: "time semi" }, row.time || "—"),
      h("th", { class: "participant", scope: "row" }, h("button", { type: "button", class: "pick", "aria-pressed": String(row.visit === chosen), "data-name": `row-${row.participant}` }, row.participant), h("div", { class: "xs sub" }, say(t, row.about || {})), model.get("opens") ? opener(row) : null),
      h("td", { class: "visit" }, h("div", { class: "s" }, row.visit_name), windowBar(t, row.window)),
      h("td", { class: "device s" }, [row.signal ? named(t, "type", row.signal) : "", t.said(row, "effector")].filter(Boolean).join(", ") || "—", h("div", { class: "xs sub" }, row.last ? say(t, row.last) : "")),
      h("td", { class: "open s" }, row.open.length ? row.open.map((one) => h("div", {}, light(one.state, say(t, one), false))) : h("span", { class: "mute" }, t("worklist.nothing_open"))),
      h("td", { class: "state" }, light(LAMP[row.state] || "off", t(`worklist.state.${row.state}`))))));
  });
  const move = (by) => {
    const visits = [...body.children].map((one) => one.dataset.visit);
    const next = visits[Math.min(visits.length - 1, Math.max(0, visits.indexOf(ctx.visit()) + by))];
    if (!next) return;
    ctx.choose(next);
    body.querySelector("tr.on .pick")?.focus();
  };
  table.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) { event.preventDefault(); move(by); }
  });
  const update = () => draw([model.get("rows"), ctx.visit(), search.value.trim().toLowerCase()]);
  /** Back from a participant's page: the row from which it was opened has the focus, once. */
  const settle = () => {
    const row = model.get("focus") && body.querySelector(`tr[data-visit="${CSS.escape(model.get("focus"))}"] .link`);
    if (!row) return;
    row.focus({ preventScroll: true });
    model.set("focus", "");
    model.save_changes();
  };
  search.addEventListener("input", update);
  return { el: h("div", { class: "panel listing" }, h("div", { class: "hd" }, h("h2", {}, t("worklist.title")), h("span", { class: "s mute" }, t("worklist.how")), h("span", { class: "rt", "data-name": "read-at" })), h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("worklist.how") }, table, none)), search, update, settle };
}

/** The panel beside it: the name in large type, the code, today's facts, and the one button that starts. */
function confirmPanel(t, model, ctx) {
  const head = h("div", { class: "s med" });
  const name = h("div", { class: "big", "data-name": "chosen-participant" });
  const about = h("div", { class: "xs sub" });
  const code = h("input", { class: "field code mono", autocomplete: "off", spellcheck: "false", "aria-label": t("worklist.code"), "data-name": "code" });
  const problem = h("div", { class: "fielderror", role: "alert", "data-name": "code-problem" });
  const good = h("div", { class: "s", role: "status", "data-name": "confirmed" });
  const facts = h("dl", { class: "kv" });
  const system = h("select", { class: "field", "data-name": "system", onchange: () => ctx.ask("choose_system", { key: system.value }).then(draw) });
  const systemField = h("label", { class: "stacked systems" }, h("span", { class: "xs sub" }, t("worklist.choose_system")), system);
  const drawSystems = whenChanged(([offered, chosen]) => {
    show(systemField, offered.length > 0);
    system.replaceChildren(...offered.map((one) => h("option", { value: one.key }, `${t.said(one, "system")} · ${t.said(one, "task")}`)));
    system.value = chosen;
  });
  const seizures = h("select", { class: "field", "data-name": "screening", onchange: () => ctx.ask("screen", { visit: model.get("chosen"), answer: seizures.value }).then(draw) },
    ["", "none", "history"].map((answer) => h("option", { value: answer, disabled: answer === "" }, t(`worklist.screening.${answer || "open"}`))));
  const entered = h("span", { class: "xs sub", "data-name": "screening-by" });
  const seizuresField = h("label", { class: "stacked" }, h("span", { class: "xs sub" }, t("worklist.screening")), seizures, entered);
  const plan = h("ol", { class: "plan s" });
  const planHead = h("div", { class: "xs sub" }, t("worklist.planned"));
  const start = button("", () => { start.disabled = true; ctx.ask("start", { visit: ctx.visit() }, 180).then(draw); }, { kind: "pri", name: "start-session" });
  const other = button(t("worklist.somebody_else"), () => { empty(); code.focus(); ctx.ask("somebody_else").then(draw); }, { name: "somebody-else" });
  const why = h("div", { class: "xs sub", role: "status" });
  const none = h("div", { class: "bd empty" }, t("worklist.choose"));
  const field = h("form", { class: "stacked", onsubmit: (event) => { event.preventDefault(); check(); } }, h("label", { class: "stacked" }, h("span", { class: "xs sub" }, t("worklist.code")), code));
  const body = h("div", { class: "bd stack" }, head, name, about, systemField, field, problem, good, seizuresField, h("div", { class: "hr" }), facts, why, start, planHead, plan, other);
  let asked = "", sure = "";
  function empty() { code.value = asked = sure = ""; put(problem, ""); }
  function check() {
    const value = code.value.trim();
    const visit = ctx.visit();
    // What was confirmed may lapse, by somebody else who signs in: then the same code is asked about again.
    const holds = value === sure && (model.get("confirmed") || {}).visit === visit;
    if (!value || value === asked || holds) return;
    asked = value;
    ctx.ask("confirm", { visit, code: value }).then((reply) => {
      // About a code that was replaced meanwhile nothing is said, and nothing is selected under the scanner's hands.
      if (asked === value && visit === ctx.visit()) {
        put(problem, reply.ok ? "" : reply.silent ? t("ask.silent") : t.said(reply, "text"));
        if (!reply.ok) code.select();
        if (reply.ok) sure = value;
        if (reply.ok || reply.silent) asked = "";
      }
      draw();
    });
  }
  code.addEventListener("change", check);
  code.addEventListener("input", () => { asked = ""; put(problem, ""); });
  function draw() {
    const row = (model.get("rows") || []).find((one) => one.visit === ctx.visit());
    show(none, !row);
    show(body, Boolean(row));
    if (!row) return;
    // The facts of the visit before are not shown beside the new name.
    const details = ctx.visit() === model.get("chosen") ? model.get("details") || {} : {};
    const confirmed = (model.get("confirmed") || {}).visit === row.visit;
    classIf(el, "sure", confirmed);
    put(head, t(confirmed ? "worklist.is" : "worklist.confirm", { participant: row.participant }));
    // Another participant: a code typed for the last one must not confirm this one.
    if (name.textContent !== row.participant) empty();
    put(name, row.participant);
    put(about, [say(t, row.about || {}), row.visit_name].filter(Boolean).join(" · "));
    good.replaceChildren(...(confirmed ? [light("ok", t("worklist.belongs", { participant: row.participant }), false)] : []));
    drawSystems([details.systems || [], details.system || ""]);
    facts.replaceChildren(...(details.facts || []).flatMap((one) => [h("dt", {}, t(`worklist.fact.${one.name}`)), h("dd", { title: one.text || "" }, say(t, one))]));
    plan.replaceChildren(...(details.plan || []).map((one) => h("li", {}, say(t, one))));
    show(planHead, (details.plan || []).length > 0);
    const screening = details.screening;
    show(seizuresField, Boolean(screening));
    seizures.value = screening ? screening.answer : "";
    put(entered, screening && screening.by ? t("worklist.screening.by", { by: screening.by, at: screening.utc.slice(0, 10) }) : "");
    const unasked = Boolean(screening) && !screening.answer;
    const blocked = details.blocked ? say(t, details.blocked) : "";
    start.disabled = !confirmed || Boolean(blocked) || unasked;
    put(start, t("worklist.start", { participant: row.participant }));
    put(why, blocked || (unasked ? t("worklist.screening.why") : confirmed ? "" : t("worklist.why")));
    show(other, confirmed);
  }
  const el = h("div", { class: "panel confirm" }, none, body);
  return { el, code, update: draw };
}

function buildWorklist(root, model, t) {
  const title = h("h1");
  const more = h("p", { class: "sub s" });
  const problem = h("div", { class: "fielderror", role: "alert" });
  const hints = h("div", { class: "hints stack", role: "status", "data-name": "hints" });
  let picked = "";
  const ctx = {
    ask: (name, args = {}, seconds = 30) => request(model, name, args, seconds).then((reply) => {
      if (!["confirm"].includes(name)) put(problem, reply.ok ? "" : reply.silent ? t("ask.silent") : t.said(reply, "text"));
      return reply;
    }),
    // A row is chosen here at once and by the answer for good: a scanner types before the answer is there, and what
    // it types must reach the field and be meant for this row. Requests are answered in order.
    visit: () => picked || model.get("chosen"),
    choose: (visit) => {
      picked = visit;
      draw();
      ctx.ask("choose", { visit }).then(() => {
        if (picked !== visit) return;
        picked = "";
        draw();
      });
    },
    toCode: () => panel.code.focus({ preventScroll: true }),
  };
  const rows = list(t, model, ctx);
  const panel = confirmPanel(t, model, ctx);
  const drawHints = whenChanged((said) => {
    show(hints, said.length > 0);
    hints.replaceChildren(...said.map((one) => h("div", { class: "s" }, light("dot", say(t, one), false), (one.args || {}).command ? h("code", { class: "mono" }, one.args.command) : null)));
  });
  function draw() {
    const all = model.get("rows") || [];
    const day = model.get("day") || {};
    const count = (state) => all.filter((row) => row.state === state).length;
    const due = all.length - count("not_due"); // a visit whose window opens later is on the list, and not today's
    put(title, due === 0 ? t("worklist.none_today") : due === 1 ? t("worklist.one_today") : t("worklist.n_today", { n: due }));
    put(more, [day.date, ...["ready", "check", "hold", "session", "not_due"].filter(count).map((state) => t(`worklist.count.${state}`, { n: count(state) }))].filter(Boolean).join(" · "));
    drawHints(day.hints || []);
    const read = rows.el.querySelector("[data-name=read-at]");
    put(read, day.fault ? t("worklist.unreachable", { at: day.read_at || "—", why: t.said(day, "fault") }) : t("worklist.read_at", { at: day.read_at || "—" }));
    classIf(read, "bad", Boolean(day.fault));
    rows.update();
    panel.update();
  }
  root.append(h("section", { class: "worklist", "aria-label": t("worklist.title") }, h("div", { class: "head" }, h("div", {}, title, h("div", { class: "row wrap" }, more, model.get("leads") ? h("button", { type: "button", class: "link s", "data-name": "to-study", onclick: () => ctx.ask("study") }, t("study.to_page")) : null, model.get("leads_safety") ? h("button", { type: "button", class: "link s", "data-name": "to-safety", onclick: () => ctx.ask("safety") }, t("safety.to_page")) : null)), rows.search), hints, h("div", { class: "cols" }, h("div", {}, rows.el, problem), panel.el)));
  const find = (event) => {
    const typing = event.target.closest?.("input, textarea, select");
    if (event.key === "/" && !typing && root.checkVisibility()) { event.preventDefault(); rows.search.focus(); }
  };
  const names = "change:day change:rows change:chosen change:details change:confirmed";
  const timer = setInterval(() => { if (document.visibilityState === "visible" && root.checkVisibility()) request(model, "look"); }, LOOK_MS);
  document.addEventListener("keydown", find);
  model.on(names, draw);
  draw();
  requestAnimationFrame(rows.settle); // it is in the page only now
  return () => { clearInterval(timer); document.removeEventListener("keydown", find); model.off(names, draw); };
}

function render({ model, el }) {
  const root = h("div", { class: "wb wb-panel wb-page" });
  el.append(root);
  const stops = [followTheme(root, model), followLanguage(root, model, (host, t) => buildWorklist(host, model, t))];
  return () => stops.forEach((stop) => stop());
}

export default { render };
