// A new study, step by step. Each step says what it still needs; passwords are asked for by the notebook's own cells.
import { button, followLanguage, followTheme, h, languageSwitch, put, request, show, whenChanged } from "./parts/dom.js";
import { light } from "./parts/icons.js";

const labelled = (words, input, more = null) => h("label", { class: "stacked" }, h("span", { class: "xs sub" }, words), input, more);

/** What the study follows: a protocol file, which is checked, or a system. */
function sourceStep(ctx) {
  const { t } = ctx;
  const path = h("input", { class: "field mono", "data-name": "protocol-file", autocomplete: "off", spellcheck: "false" });
  const check = button(t("new.check"), () => { if (path.value.trim()) ctx.ask("choose_file", { path: path.value.trim() }); }, { kind: "pri", name: "check-file" });
  check.type = "submit";
  const byFile = h("form", { class: "line", onsubmit: (event) => event.preventDefault() }, labelled(t("new.file"), path), check);
  const system = h("select", { class: "field", "data-name": "system" });
  const take = button(t("new.take_system"), () => ctx.ask("choose_system", { system: system.value }), { name: "take-system" });
  const draftIt = button(t("new.draft"), () => ctx.ask("draft", { system: system.value }), { name: "draft-system" });
  const holds = h("dl", { class: "kv", "data-name": "drafted" });
  const text = h("textarea", { class: "field area mono", rows: 16, spellcheck: "false", "data-name": "draft-text" });
  const save = button(t("new.save_draft"), () => ctx.ask("edit", { text: text.value }), { kind: "pri", name: "save-draft" });
  const where = h("span", { class: "xs sub" });
  const drafted = h("div", { class: "stack" }, holds, labelled(t("new.draft_text"), text), h("div", { class: "row wrap" }, save, where));
  const drawDraft = whenChanged(([draft, made, whole]) => {
    show(drafted, Boolean(draft.text) && !made);
    if (!draft.text) return;
    const line = (key, words) => [h("dt", {}, t(`new.fact.${key}`)), h("dd", {}, words.length ? words.map((one) => h("div", {}, one)) : "—")];
    holds.replaceChildren(...["visits", "forms", "endpoints", "limits"].flatMap((key) => line(key, draft[key].map((one) => t(`new.draft.${key}`, one)))));
    // Once it is whole, what was checked stands above it.
    show(holds, !whole);
    if (text.dataset.of !== draft.text) [text.value, text.dataset.of] = [draft.text, draft.text];
    put(where, t("new.draft_in", { path: draft.path }));
  });
  const facts = h("dl", { class: "kv", "data-name": "checked" });
  const hash = h("p", { class: "s" });
  const problems = h("ul", { class: "problems s", "data-name": "problems" });
  const draw = whenChanged(([source, offered, protocol, wrong, made]) => {
    if (document.activeElement !== path && source.kind === "protocol") path.value = source.name;
    const chosen = source.kind === "system" ? source.name : system.value || offered[0]?.name;
    system.replaceChildren(...offered.map((one) => h("option", { value: one.name }, t.said(one, "title"))));
    system.value = chosen;
    for (const one of [path, check, system, take, draftIt]) one.disabled = made;
    const fact = (key, words) => [h("dt", {}, t(`new.fact.${key}`)), h("dd", {}, words || "—")];
    facts.replaceChildren(...(protocol.sha256 ? [fact("version", `${protocol.version}, ${protocol.effective}`), fact("sponsor", protocol.sponsor), fact("arms", protocol.arms.join("; ")), fact("visits", protocol.visits.join(", ")),
      fact("forms", protocol.forms.join(", ")), fact("criteria", t("new.criteria", { inclusion: protocol.inclusion, exclusion: protocol.exclusion })), fact("estimands", protocol.estimands.join(", "))].flat() : []));
    show(facts, Boolean(protocol.sha256));
    hash.replaceChildren(...(protocol.sha256 ? [light("ok", t("new.holds"), false), " ", h("code", { class: "mono", "data-name": "sha256" }, protocol.sha256)] : []));
    problems.replaceChildren(...wrong.map((one) => h("li", {}, light("medium", t.said(one, "text"), false))));
    show(problems, wrong.length > 0);
  });
  const el = h("div", { class: "stack" }, byFile, h("div", { class: "line" }, labelled(t("new.system"), system), draftIt, take), hash, facts, problems, drafted);
  return {
    el,
    state: (seen) => (seen.source.kind && !seen.problems.length ? "ok" : seen.problems.length ? "medium" : "off"),
    update: (seen) => { draw([seen.source, seen.systems, seen.protocol, seen.problems, seen.made]); drawDraft([seen.draft || {}, seen.made, Boolean(seen.protocol.sha256)]); },
  };
}

/** What it is called, where it lies, and the button that makes it. */
function recordStep(ctx) {
  const { t } = ctx;
  const fields = Object.fromEntries(["code", "title", "participant"].map((name) => [name, h("input", { class: "field", "data-name": `new-${name}`, autocomplete: "off" })]));
  const simulated = h("input", { type: "checkbox", class: "tick", "data-name": "new-simulated" });
  const keep = () => ctx.ask("name", { code: fields.code.value.trim(), title: fields.title.value.trim(), participant: fields.participant.value.trim(), simulated: simulated.checked });
  for (const one of [...Object.values(fields), simulated]) one.addEventListener("change", keep);
  const first = h("div", { class: "line" }, labelled(t("new.participant"), fields.participant), h("label", { class: "row" }, simulated, h("span", { class: "s" }, t("new.simulated"))));
  const where = h("p", { class: "s" });
  const make = button(t("new.make"), () => ctx.ask("create"), { kind: "pri", name: "make-study" });
  const why = h("p", { class: "xs sub", role: "status" });
  const el = h("div", { class: "stack" }, h("div", { class: "line" }, labelled(t("new.code"), fields.code), labelled(t("new.title"), fields.title)), first, where, h("div", { class: "row" }, make, why));
  return {
    el,
    state: (seen) => (seen.made ? "ok" : "off"),
    update(seen) {
      const ready = seen.source.kind && !seen.problems.length;
      for (const [name, input] of Object.entries(fields)) {
        if (document.activeElement !== input) input.value = t.said(seen, name);
        input.disabled = seen.made || seen.source.kind !== "system";
      }
      simulated.checked = seen.simulated;
      simulated.disabled = seen.made || seen.source.kind !== "system";
      show(first, seen.source.kind === "system");
      put(where, t(seen.made ? "new.lies_in" : "new.will_lie_in", { folder: seen.folder }));
      show(make, !seen.made);
      make.disabled = !ready;
      put(why, seen.made || ready ? "" : t("new.choose_first"));
    },
  };
}

/** Who takes part in the work, with which roles. */
function peopleStep(ctx) {
  const { t } = ctx;
  const login = h("input", { class: "field", "data-name": "person-login", autocomplete: "off" });
  const name = h("input", { class: "field", "data-name": "person-name", autocomplete: "off" });
  const boxes = new Map();
  const roles = h("fieldset", { class: "roles" }, h("legend", { class: "xs sub" }, t("new.roles")));
  const body = h("tbody");
  const none = h("p", { class: "empty" }, t("new.nobody"));
  const table = h("table", { class: "grid" }, h("thead", {}, h("tr", {}, ["login", "name", "roles", "state"].map((one) => h("th", { scope: "col" }, t(`new.col.${one}`))))), body);
  const add = button(t("new.add"), () => {
    ctx.ask("plan_person", { login: login.value.trim(), name: name.value.trim(), roles: [...boxes].filter(([, box]) => box.checked).map(([role]) => role) }).then((reply) => {
      if (!reply.ok) return;
      for (const box of boxes.values()) box.checked = false;
      [login.value, name.value] = ["", ""];
      login.focus();
    });
  }, { name: "add-person" });
  add.type = "submit";
  const form = h("form", { class: "stack", onsubmit: (event) => event.preventDefault() }, h("div", { class: "line" }, labelled(t("new.col.login"), login), labelled(t("new.col.name"), name)), roles, h("div", { class: "row" }, add));
  const drawRoles = whenChanged((known) => {
    boxes.clear();
    for (const role of known) boxes.set(role, h("input", { type: "checkbox", class: "tick", "data-name": `role-${role}` }));
    roles.replaceChildren(roles.firstChild, ...[...boxes].map(([role, box]) => h("label", { class: "row" }, box, h("span", { class: "s" }, t(`role.${role}`, {}, role)))));
  });
  const draw = whenChanged((people) => {
    show(table, people.length > 0);
    show(none, !people.length);
    body.replaceChildren(...people.map((one) => h("tr", {}, h("th", { scope: "row" }, one.login), h("td", {}, one.name), h("td", {}, one.roles.map((role) => t(`role.${role}`, {}, role)).join(", ")),
      h("td", {}, one.entered ? light("ok", t("new.entered"), false) : h("button", { type: "button", class: "link xs", "data-name": `leave-out-${one.login}`, "aria-label": t("new.leave_out_of", { name: one.name }), onclick: () => ctx.ask("leave_out", { login: one.login }) }, t("new.leave_out"))))));
  });
  const el = h("div", { class: "stack" }, none, table, form, h("p", { class: "xs sub" }, t("new.passwords")));
  return {
    el,
    state: (seen) => (seen.people.length && seen.people.every((one) => one.entered) ? "ok" : "off"),
    update(seen) { drawRoles(seen.roles); draw(seen.people); },
  };
}

/** The two signatures under the protocol, or who is missing for them. */
function signStep(ctx) {
  const { t } = ctx;
  const say = h("p", { class: "s", role: "status", "data-name": "signing" });
  const list = h("ul", { class: "signed s", "data-name": "signed" });
  return {
    el: h("div", { class: "stack" }, say, list),
    state: (seen) => (seen.signed.length ? "ok" : seen.source.kind === "system" ? "dot" : seen.can_sign ? "off" : "medium"),
    update(seen) {
      put(say, seen.signed.length ? t("new.in_force") : seen.source.kind === "system" ? t("new.no_protocol") : t(seen.can_sign ? "new.to_sign" : "new.needs_signers"));
      list.replaceChildren(...seen.signed.map((one) => h("li", {}, light("ok", t("new.signed", { name: one.name, at: new Date(one.utc).toLocaleString(t("form.locale"), { dateStyle: "medium", timeStyle: "short" }) }), false))));
    },
  };
}

function buildNewStudy(root, model, t) {
  const problem = h("div", { class: "fielderror", role: "alert", "data-name": "problem" });
  const ctx = { t, ask: (name, args = {}) => request(model, name, args, 60).then((reply) => { put(problem, reply.ok ? "" : reply.silent ? t("ask.silent") : t.said(reply, "text")); return reply; }) };
  const steps = [["source", sourceStep(ctx)], ["record", recordStep(ctx)], ["people", peopleStep(ctx)], ["sign", signStep(ctx)]];
  const lamps = steps.map(() => h("span", { class: "rt" }));
  const drawLamps = whenChanged((states) => states.forEach((state, i) => lamps[i].replaceChildren(light(state, t(`new.state.${state}`), false))));
  root.append(h("section", { class: "newstudy", "aria-label": t("new.page") }, h("div", { class: "row between" }, h("h2", { class: "big" }, t("new.page")), languageSwitch(model, t)), problem,
    ...steps.map(([name, step], i) => h("div", { class: "panel", "data-name": `step-${name}` }, h("div", { class: "hd" }, h("h3", {}, `${i + 1} · ${t(`new.step.${name}`)}`), lamps[i]), h("div", { class: "bd" }, step.el)))));
  function draw() {
    const seen = model.get("study") || {};
    if (!seen.source) return;
    steps.forEach(([, step]) => step.update(seen));
    drawLamps(steps.map(([, step]) => step.state(seen)));
  }
  model.on("change:study", draw);
  draw();
  return () => model.off("change:study", draw);
}

function render({ model, el }) {
  const root = h("div", { class: "wb wb-panel", "data-lm-suppress-shortcuts": "true" });
  el.append(root);
  const stops = [followTheme(root, model), followLanguage(root, model, (host, t) => buildNewStudy(host, model, t))];
  return () => stops.forEach((stop) => stop());
}

export default { render };
