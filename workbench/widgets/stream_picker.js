// The available streams, and the role of each in the contract.
import { button, followLanguage, followTheme, h, put, request, show, whenChanged } from "./parts/dom.js";
import { light } from "./parts/icons.js";

function buildPicker(root, model, t) {
  const say = h("div", { class: "s", role: "status" });
  const empty = h("div", { class: "empty" });
  const body = h("tbody");
  const fits = h("span", { role: "status" });
  const table = h("table", { class: "grid" }, h("thead", {}, h("tr", {}, ["name", "type", "rate", "channels", "host", "role", "critical"].map((one) => h("th", ["rate", "channels"].includes(one) ? { class: "num" } : {}, t(`picker.${one}`))))), body);
  const search = button(t("picker.search"), () => ask("search", {}, "picker.searching"), { kind: "pri", name: "search" });
  const check = button(t("picker.check"), () => ask("check", {}, "picker.checking"), { name: "check" });
  const checkWhy = h("span", { class: "xs sub" });

  function ask(name, args, working = "") {
    const started = performance.now();
    const count = () => put(say, working ? t(working, { n: Math.round((performance.now() - started) / 1000) }) : "");
    clearInterval(timer);
    timer = setInterval(count, 250);
    count();
    search.disabled = true;
    return request(model, name, args, 60).then((reply) => {
      clearInterval(timer);
      search.disabled = false;
      say.classList.toggle("bad", !reply.ok);
      put(say, reply.ok ? "" : reply.silent ? t("ask.silent") : t.said(reply, "text"));
      draw();
    });
  }
  /** One stream; its row is updated in place, so that the focus stays where it is. */
  function row(one, copies) {
    const critical = h("input", { type: "checkbox", class: "tick", "aria-label": `${one.name}: ${t("picker.critical")}` });
    const role = h("select", { class: "field", "aria-label": `${one.name}: ${t("picker.role")}`, "data-name": `role-${one.name}` },
      ["", "signal", "aux", "markers"].map((name) => h("option", { value: name }, t(`picker.role.${name || "none"}`))));
    const generate = h("input", { type: "checkbox", class: "tick", "data-name": `generate-${one.name}` });
    // A stream without a unit: the person who wants to decode it declares the unit by name.
    const unit = h("select", { class: "field", "aria-label": `${one.name}: ${t("picker.unit")}`, "data-name": `unit-${one.name}` },
      ["", "uV", "mV", "V", "nV"].map((name) => h("option", { value: name }, name || t("picker.unit_choose"))));
    const by = h("input", { class: "field", placeholder: t("picker.declared_by"), "aria-label": `${one.name}: ${t("picker.declared_by")}`, "data-name": `by-${one.name}` });
    const declared = h("div", { class: "xs stack" }, unit, by);
    [unit, by].forEach((field) => field.addEventListener("change", () => {
      if (!unit.value || by.value.trim()) ask("declare", { uid: one.uid, unit: unit.value, by: by.value });
      else by.focus();
    }));
    const unnamed = one.fs && one.channels.length === 0;
    const send = () => ask("choose", { uid: one.uid, role: role.value, critical: critical.checked, generate: generate.checked });
    [role, critical, generate].forEach((field) => field.addEventListener("change", send));
    role.querySelector('option[value="signal"]').disabled = Boolean(one.not_signal);
    const line = h("tr", {}, h("td", {}, h("b", {}, one.name), copies > 1 ? h("span", { class: "dup" }, light("medium", t("picker.duplicate", { n: copies }))) : null,
      h("div", { class: "xs mute" }, one.source_id),
      one.not_signal ? h("div", { class: "xs sub" }, t("picker.not_signal", { why: t.said(one, "not_signal") })) : null,
      unnamed && !one.not_signal ? h("label", { class: "xs row" }, generate, t("picker.generate", { n: one.n_channels })) : null), h("td", {}, one.type),
    h("td", { class: "num" }, one.fs ? t("picker.hz", { n: one.fs }) : t("picker.irregular")), h("td", { class: "num", title: one.channels.join(", ") }, one.n_channels, one.fs ? h("div", { class: "xs mute" }, (one.units || []).join(", ") || t("picker.unit_none")) : null, declared),
    h("td", {}, one.host), h("td", {}, role), h("td", {}, critical));
    return { line, update(now) { role.value = now.role; generate.checked = Boolean(now.generated); critical.checked = now.critical; critical.disabled = !now.role;
      show(declared, Boolean(one.fs) && (one.units || []).length === 0 && now.role === "signal");
      if (document.activeElement !== unit && document.activeElement !== by) { unit.value = now.unit || unit.value; by.value = now.declared_by || by.value; } } };
  }
  let timer = null;
  let rows = [];
  const drawRows = whenChanged((seen) => {
    rows = seen.map((one) => row(one, seen.filter((other) => other.name === one.name && other.type === one.type).length));
    body.replaceChildren(...rows.map((one) => one.line));
  });
  const drawVerdict = whenChanged(([verdict]) => fits.replaceChildren(...(verdict.ok ? [light("ok", t("picker.fits"))] : [])));
  function draw() {
    const seen = model.get("seen") || [];
    const chosen = model.get("chosen") || {};
    show(table, seen.length > 0);
    show(empty, seen.length === 0);
    put(empty, t(model.get("searched") ? "picker.nothing" : "picker.empty"));
    drawRows(seen);
    seen.forEach((one, i) => rows[i].update(chosen[one.uid] || { role: "", critical: true }));
    drawVerdict([model.get("verdict") || {}]);
    const signal = Object.values(chosen).some((one) => one.role === "signal");
    check.disabled = !signal;
    put(checkWhy, signal ? "" : t("picker.needs_signal"));
  }
  root.append(h("div", { class: "panel" }, h("div", { class: "hd" }, h("h2", {}, t("picker.title")), h("span", { class: "rt" }, t("picker.lsl"))),
    h("div", { class: "bd stack" }, empty, table, h("div", { class: "row wrap" }, search, check, checkWhy, fits, say))));
  const names = "change:seen change:chosen change:searched change:verdict";
  model.on(names, draw);
  draw();
  return () => {
    clearInterval(timer);
    model.off(names, draw);
  };
}

function render({ model, el }) {
  const root = h("div", { class: "wb wb-panel" });
  el.append(root);
  const stops = [followTheme(root, model), followLanguage(root, model, (host, t) => buildPicker(host, model, t))];
  return () => stops.forEach((stop) => stop());
}

export default { render };
