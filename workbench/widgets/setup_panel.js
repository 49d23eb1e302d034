// The set-up of a session's hardware. Python holds it; this file shows it and sends each answer as it is given.
import { button, capitalised, classIf, followLanguage, followTheme, h, put, request, show, whenChanged } from "./parts/dom.js";
import { headMap } from "./parts/head.js";
import { light } from "./parts/icons.js";

const UNITS = ["uV", "mV", "V", "nV", "g", "m/s^2", "deg/s", "N", "counts"];
const AUXILIARY = "aux";

/** Labels as they were typed or pasted: one a line, or with commas or blanks between them. */
function listed(text) {
  const between = /[\n\t,;]/.test(text) ? /[\n\t,;]+/ : /\s+/;
  return text.split(between).map((part) => part.trim()).filter(Boolean);
}

/** `1 = grasp` a line, as a mapping. */
function mapped(text) {
  return Object.fromEntries(text.split("\n").map((line) => line.split(/[=:]/)).filter((parts) => parts.length === 2).map(([code, label]) => [code.trim(), label.trim()]));
}

/** Names a connection on the page: by its role, and by its stream where several share the role. */
const keyOf = (one) => (one.role === AUXILIARY ? one.name : one.role);

/** A field that sends its answer when it was changed; `set` leaves alone what is being typed. */
function entry({ name, label, send, rows = 0, hint = "" }) {
  const field = rows ? h("textarea", { class: "field area", rows, "data-name": name, placeholder: hint }) : h("input", { class: "field", "data-name": name, placeholder: hint });
  field.addEventListener("change", () => send(field.value));
  return { el: h("label", { class: "stacked" }, h("span", { class: "xs sub" }, label), field), field, set: (value) => { if (document.activeElement !== field) field.value = value; } };
}

/** Elements by key: made once, updated in place, so that focus and half-typed text survive every answer. */
function kept(host, make) {
  const made = new Map();
  const order = whenChanged((keys) => host.replaceChildren(...keys.map((key) => made.get(key).el)));
  return (items, update) => {
    const keys = items.map(([key]) => key);
    [...made.keys()].filter((key) => !keys.includes(key)).forEach((key) => made.delete(key));
    items.forEach(([key, item]) => { if (!made.has(key)) made.set(key, make(item)); });
    order(keys);
    items.forEach(([key, item]) => update(made.get(key), item));
  };
}

function foundCard(t, ctx, one, roles) {
  const role = h("select", { class: "field", "aria-label": t("setup.role_of", { name: one.name }), "data-name": `role-${one.name}` },
    [["", t("setup.role.none")], ...roles, [AUXILIARY, t("setup.role.aux")]].map(([value, text]) => h("option", { value }, text)));
  role.addEventListener("change", () => (role.value ? ctx.ask("assign", { uid: one.uid, role: role.value }) : ctx.ask("take_out", { stream: one.name })));
  const rate = one.fs ? t("setup.hz", { n: one.fs }) : t("setup.irregular");
  const unit = one.units.length ? t("setup.unit_sent", { unit: one.units.join(", ") }) : one.fs ? t("setup.unit_none") : "";
  const el = h("li", { class: "sc" }, h("div", { class: "grow" }, h("b", { class: "semi" }, one.name), " ", h("span", { class: "xs mute" }, [one.type, one.host].join(" · ")),
    one.twins > 1 ? light("medium", t("setup.twins", { n: one.twins })) : null,
    h("div", { class: "xs sub" }, [t("setup.channels", { n: one.n_channels }), rate, one.dtype].join(" · ")),
    h("div", { class: "xs sub" }, [unit, one.device, one.source_id].filter(Boolean).join(" · "))), role);
  return { el, update: (now) => { role.value = now.role; classIf(el, "free", !now.role); } };
}

/** The streams that were found, the computers that are asked, and what protects neither. */
function foundPanel(t, ctx) {
  const list = h("ul", { class: "found" });
  const empty = h("div", { class: "empty" });
  const peers = entry({ name: "peers", label: t("setup.peers"), rows: 2, hint: t("setup.peers_hint"), send: (text) => ctx.ask("name_peers", { peers: listed(text) }) });
  const foreign = h("div", { class: "s" }, light("medium", t("setup.foreign_configuration"), false));
  let roles = [];
  const drawStreams = kept(list, (one) => foundCard(t, ctx, one, roles));
  const el = h("section", { class: "panel", "aria-label": t("setup.found") }, h("div", { class: "hd" }, h("h2", {}, t("setup.found"))), h("div", { class: "bd stack" },
    empty, list, peers.el, foreign, h("div", { class: "note xs", "data-name": "firewall" }, h("b", { class: "semi" }, t("setup.open_title")), h("p", {}, t("setup.open")), h("p", {}, t("setup.firewall")))));
  return { el, update(s) {
    show(empty, s.found.length === 0);
    put(empty, t(s.looked_at ? "setup.nothing" : "setup.not_looked"));
    roles = s.inputs.map((one) => [one.role, ctx.roleName(one.role)]);
    drawStreams(s.found.map((one) => [JSON.stringify({ ...one, role: "" }), one]), (card, one) => card.update(one));
    peers.set(s.peers.join("\n"));
    show(foreign, s.own_configuration === false);
  } };
}

/** Labels of channels that the stream does not name, and the channels that are left out. */
function channelFields(t, ctx, one) {
  const key = keyOf(one);
  const answer = (answers) => ctx.ask("answer", { stream: one.name, ...answers });
  const sent = h("div", { class: "s sub" });
  const labels = entry({ name: `labels-${key}`, label: t("setup.labels", { n: one.n_channels }), rows: 2, send: (text) => answer({ labels: listed(text) }) });
  const left = entry({ name: `left-${key}`, label: t("setup.left_out"), send: (text) => answer({ left_out: listed(text) }) });
  const offered = h("div", { class: "row wrap" }, button(t("setup.number", { n: one.n_channels }), () => ctx.ask("number_channels", { stream: one.name }), { name: `number-${key}` }),
    Object.entries(one.montages).map(([name, montage]) => button(name, () => answer({ labels: montage }), { name: `montage-${name}` })));
  return { els: one.announced_labels ? [sent, left.el] : [labels.el, offered, left.el], update(now) {
    put(sent, t("setup.labels_sent", { labels: now.channels.join(", ") }));
    labels.set(now.channels.join(", "));
    left.set(now.left_out.join(", "));
  } };
}

/** A unit is declared by somebody: nothing is sent before both fields are filled. */
function unitFields(t, ctx, one) {
  const key = keyOf(one);
  const unit = h("select", { class: "field", "aria-label": t("setup.unit"), "data-name": `unit-${key}` }, ["", ...UNITS].map((value) => h("option", { value }, value || t("setup.unit_choose"))));
  const by = h("input", { class: "field", "aria-label": t("setup.unit_by"), placeholder: t("setup.unit_by"), "data-name": `by-${key}` });
  const send = () => {
    if (!unit.value || by.value.trim()) ctx.ask("answer", { stream: one.name, unit: unit.value, unit_by: by.value });
    else by.focus();
  };
  [unit, by].forEach((field) => field.addEventListener("change", send));
  const el = h("div", { class: "row wrap" }, unit, by);
  return { el, update(now, asked) {
    show(el, !now.markers && (asked || Boolean(now.unit) || !now.announced_unit));
    if (document.activeElement !== unit && document.activeElement !== by && (now.unit || !asked)) { unit.value = now.unit; by.value = now.unit_by; }
  } };
}

/** A failed check: why it may pass, or who let it pass and when. */
function waiverOf(t, ctx, one, check) {
  const name = `${check.name}-${keyOf(one)}`;
  const waive = (reason) => ctx.ask("waive_check", { stream: one.name, check: check.name, reason });
  if (check.waiver) {
    const { reason, by, at } = check.waiver;
    return [h("div", { class: "xs sub" }, t("setup.waived_by", { reason, by, at: at.slice(0, 16).replace("T", " ") })),
      h("div", { class: "row" }, button(t("setup.waive_back"), () => waive(""), { kind: "quiet", name: `waive-back-${name}` }))];
  }
  const reason = h("input", { class: "field", "aria-label": t("setup.waive_why"), placeholder: t("setup.waive_why"), "data-name": `waive-why-${name}` });
  const send = () => (reason.value.trim() ? waive(reason.value) : reason.focus());
  reason.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); send(); } });
  return h("div", { class: "row wrap" }, button(t("setup.measure_again"), () => ctx.measure(one.name), { kind: "quiet", name: `again-${name}` }), reason, button(t("setup.waive_check"), send, { name: `waive-check-${name}` }));
}

const LIGHT = { ok: "ok", note: "medium", failed: "high" };

/** What was measured of a stream, a light a line; a half-typed reason survives, since lines are made again only when they change. */
function checkList(t, ctx, one) {
  const list = h("ul", { class: "ck", "data-name": `checks-${keyOf(one)}` });
  const when = h("span", { class: "xs mute" });
  const draw = whenChanged((all) => list.replaceChildren(...all.map((check) => h("li", { class: `s stack ${check.waiver ? "waived" : ""}`.trim() },
    light(check.waiver ? "off" : LIGHT[check.state], check.waiver ? t("setup.waived", { what: t.said(check, "text") }) : t.said(check, "text"), false),
    check.state === "failed" ? waiverOf(t, ctx, one, check) : null))));
  const measure = button(t("setup.measure"), () => ctx.measure(one.name), { name: `measure-${keyOf(one)}` });
  return { els: [list, h("div", { class: "row wrap" }, measure, when)], update(now) {
    draw(now.checks);
    measure.disabled = !now.uid;
    const { at = "", seconds = 0, now: fresh } = now.measured;
    put(when, !at ? t("setup.not_measured") : fresh ? t("setup.measured_over", { n: seconds }) : t("setup.measured_at", { at: at.slice(0, 10) }));
  } };
}

const ELECTRODE = { high: "medium", flat: "high", left_out: "off", unknown: "dot" };

/** Electrodes where they sit, each with its state; of markers how often each came. */
function drawing(t, one) {
  const el = h("div", { class: "drawn", "data-name": `drawing-${keyOf(one)}` });
  const draw = whenChanged(([all, codes]) => {
    const said = (each) => [each.name, t(`setup.electrode.${each.state}`), each.text].filter(Boolean).join(" ");
    const mark = (state) => (state === "ok" ? h("i", { class: "el-ok" }) : light(ELECTRODE[state]));
    const odd = all.filter((each) => ["high", "flat"].includes(each.state));
    const most = Math.max(1, ...codes.map(([, n]) => n));
    el.replaceChildren(...[
      all.length ? headMap(all.map((each) => ({ name: each.name, title: said(each), mark: mark(each.state) })), all.map(said).join(", ")) : null,
      odd.length ? h("div", { class: "xs sub" }, odd.map((each) => `${each.name} ${each.text}`).join(" · ")) : null,
      codes.length ? h("div", { class: "codebars", role: "img", "aria-label": codes.map(([code, n]) => t("setup.code_count", { code, n })).join(", ") },
        codes.map(([code, n]) => h("span", {}, h("small", {}, code), h("i", { style: `height:${Math.round(4 + (28 * n) / most)}px` }), h("small", { class: "mute" }, `×${n}`)))) : null,
    ].filter(Boolean));
    show(el, all.length > 0 || codes.length > 0);
  });
  return { el, update: (now) => draw([now.electrodes, now.markers ? Object.entries(now.measured.codes || {}).slice(0, 12) : []]) };
}

/** One stream in its role, with every question that it leaves open. */
function connected(t, ctx, one, critical) {
  const key = keyOf(one);
  const answer = (answers) => ctx.ask("answer", { stream: one.name, ...answers });
  const electrode = (name) => entry({ name: `${name}-${key}`, label: t(`setup.${name}`), send: (text) => answer({ [name]: text }) });
  const [reference, ground] = ["reference", "ground"].map(electrode);
  reference.field.disabled = one.reference_announced;
  ground.field.disabled = one.ground_announced;
  const electrodes = h("div", { class: "halves" }, reference.el, ground.el);
  const channels = channelFields(t, ctx, one);
  const unit = unitFields(t, ctx, one);
  const codes = entry({ name: `codes-${key}`, label: t(one.coded ? "setup.codes" : "setup.texts"), rows: 3, send: (text) => answer({ codes: mapped(text) }) });
  const waive = entry({ name: `waive-${key}`, label: t("setup.waive"), send: (reason) => ctx.ask("waive", { role: one.role, reason }) });
  const about = h("span", { class: "xs mute" });
  const measured = checkList(t, ctx, one);
  const drawn = drawing(t, one);
  const el = h("div", { class: "stack" }, h("div", { class: "row wrap" }, h("span", { class: "well" }, one.name), about, h("span", { class: "grow" }), button(t("setup.take_out"), () => ctx.ask("take_out", { stream: one.name }), { kind: "quiet", name: `out-${key}` })),
    one.markers ? codes.el : [channels.els, unit.el, electrodes], h("div", { class: "proven" }, h("div", { class: "stack" }, measured.els), drawn.el), waive.el);
  return { el, update(now, problems, waived) {
    put(about, [now.host, t("setup.channels", { n: now.n_channels }), now.announced_unit].filter(Boolean).join(" · "));
    channels.update(now);
    unit.update(now, problems.some((each) => each.field === "unit"));
    reference.set(now.reference);
    ground.set(now.ground);
    codes.set(Object.entries(now.codes).map(([code, label]) => `${code} = ${label}`).join("\n"));
    show(electrodes, now.potential);
    measured.update(now);
    drawn.update(now);
    show(waive.el, !critical && now.role !== AUXILIARY && (!now.uid || Boolean(waived)));
    waive.set(waived || "");
  } };
}

function roleRow(t, ctx, { role, words, critical, one }) {
  const inside = one ? connected(t, ctx, one, critical) : { el: h("div", { class: "hole s" }, t("setup.no_stream")), update: () => {} };
  const faults = h("div", { class: "stack" });
  // A failed check stands in its own line, with what can be done about it.
  const drawFaults = whenChanged((said) => faults.replaceChildren(...said.map((each) => h("div", { class: "fielderror", role: "alert" }, t.said(each, "text")))));
  const el = h("div", { class: "ro", "data-name": `role-row-${one ? keyOf(one) : role}` },
    h("div", {}, h("h3", {}, ctx.roleName(role)), h("div", { class: "xs mute" }, words), h("div", { class: "xs mute" }, t(critical ? "setup.critical" : "setup.optional"))),
    h("div", { class: "stack" }, inside.el, faults));
  return { el, update(now, problems, waived) {
    const said = problems.filter((each) => each.field !== "check");
    drawFaults(said);
    show(faults, said.length > 0);
    if (now) inside.update(now, problems, waived);
  } };
}

const CERTIFIED = { held: "ok", refused: "high" };

/** Simulated or real, its certificate, the pairing, and whether the paired device answers. */
function effectorRow(t, ctx) {
  const kind = (name) => h("button", { type: "button", "data-name": `effector-${name}`, onclick: () => ctx.ask("attach_effector", { real: name === "real" }) }, t(`setup.effector_${name}`));
  const kinds = { simulated: kind("simulated"), real: kind("real") };
  const name = h("div", { class: "xs mute" });
  const answers = h("div", { "data-name": "effector-answers" });
  const certificate = h("div", { class: "s", "data-name": "effector-certificate" });
  const code = h("code", { class: "mono big", "data-name": "pair-code" });
  const command = h("code", { class: "mono", "data-name": "pair-command" });
  const link = h("span", { class: "xs sub" });
  const typed = h("div", { class: "s stack", role: "status" }, h("span", {}, t("setup.pair_do")), command, code, link);
  const real = h("div", { class: "stack" }, answers, h("div", { class: "row wrap" }, button(t("setup.pair"), () => ctx.ask("pair"), { name: "pair" })), typed);
  const el = h("div", { class: "ro", "data-name": "role-row-effector" }, h("div", {}, h("h3", {}, t("setup.effector")), name), h("div", { class: "stack" }, h("div", { class: "seg", role: "group", "aria-label": t("setup.effector") }, Object.values(kinds)), certificate, real));
  const drawAnswers = whenChanged((there) => answers.replaceChildren(there ? light("ok", t("setup.effector_answers")) : light("off", t("setup.effector_silent"), false)));
  const drawCertificate = whenChanged(([state, text]) => certificate.replaceChildren(light(CERTIFIED[state] || "off", text, false)));
  return { el, update(s) {
    const pairing = s.device.pairing || {};
    const certified = s.device.certificate || {};
    drawCertificate([certified.state, t.said(certified, "text")]);
    show(certificate, Boolean(certified.state));
    show(el, Boolean(s.device.name));
    put(name, t.said(s.device, "name"));
    for (const [which, one] of Object.entries(kinds)) {
      classIf(one, "on", s.effector === which);
      one.setAttribute("aria-pressed", String(s.effector === which));
    }
    show(real, s.effector === "real");
    drawAnswers(s.device.answers);
    show(typed, Boolean(pairing.code));
    put(code, pairing.code);
    put(command, pairing.command);
    put(link, t("setup.pair_link", { link: pairing.link || "" }));
  } };
}

function rolesPanel(t, ctx) {
  const body = h("div", { class: "roles" });
  const effector = effectorRow(t, ctx);
  const drawRows = kept(body, (row) => roleRow(t, ctx, row));
  const el = h("section", { class: "panel", "aria-label": t("setup.roles") }, h("div", { class: "hd" }, h("h2", {}, t("setup.roles"))), h("div", { class: "bd" }, body, effector.el));
  return { el, update(s) {
    const rows = s.inputs.map((wanted) => ({ ...wanted, words: t.said(wanted, "words"), one: s.connections.find((one) => one.role === wanted.role) }));
    const beside = s.connections.filter((one) => one.role === AUXILIARY).map((one) => ({ role: AUXILIARY, words: "", critical: false, one }));
    // What decides which fields there are; everything else is filled in.
    const key = ({ role, one }) => JSON.stringify([role, one && [one.name, one.markers, one.coded, one.n_channels, one.announced_labels, one.reference_announced, one.ground_announced]]);
    drawRows([...rows, ...beside].map((row) => [key(row), row]), (made, { role, one }) => {
      made.update(one, s.problems.filter((each) => each.role === role && (!one || !each.stream || each.stream === one.name)), s.waived[role]);
    });
    effector.update(s);
  } };
}

/** What differs since the last visit, and the two buttons that end a set-up. */
function savePanel(t, ctx) {
  const head = h("h2");
  const changes = h("ul", { class: "df" });
  const confirm = button(t("setup.confirm"), () => ctx.ask("confirm"), { name: "confirm-changes" });
  const save = button(t("setup.save"), () => ctx.ask("keep", {}, { seconds: 180, working: "setup.measuring" }), { name: "save-setup" });
  const fits = h("div", { class: "stack", "data-name": "decoder-fits" });
  const drawFits = whenChanged((decoder) => fits.replaceChildren(...(decoder.ok ? [light("ok", t("setup.fits", decoder)), h("div", { class: "xs sub" }, t("setup.fits_how"))]
    : [light("high", t("setup.fits_not", decoder)), h("div", { class: "s" }, t.said(decoder, "why")), h("div", { class: "xs sub" }, t("setup.fits_do"))])));
  const start = button(t("setup.start"), () => ctx.ask("start", {}, { seconds: 180, working: "setup.starting" }), { kind: "pri", name: "start-setup" });
  const why = h("div", { class: "xs sub", role: "status", "data-name": "start-why" });
  const saved = h("div", { class: "xs sub", "data-name": "saved" });
  const drawChanges = whenChanged((list) => changes.replaceChildren(...list.map((one) => h("li", { class: "s" }, light(one.confirm ? "medium" : "dot", t.said(one, "text"), false)))));
  const el = h("section", { class: "panel side", "aria-label": t("setup.since") }, h("div", { class: "hd" }, head), h("div", { class: "bd stack" }, changes, confirm, fits, saved, save, start, why));
  return { el, update(s) {
    const was = s.saved.at ? { site: s.site, date: s.saved.at.slice(0, 10), by: s.saved.by, hash: s.saved.hash } : null;
    put(head, was ? t("setup.since_when", was) : t("setup.new_site", { site: s.site }));
    drawChanges(s.changes.length || !was || !s.looked_at ? s.changes : [{ text: t("setup.nothing_differs"), confirm: false }]);
    show(confirm, s.unconfirmed > 0);
    show(fits, Boolean(s.decoder.hash));
    if (s.decoder.hash) drawFits(s.decoder);
    save.disabled = !s.ready || s.as_saved;
    put(saved, s.as_saved ? t("setup.saved", was) : t("setup.unsaved"));
    show(start, s.start.shown);
    start.disabled = !s.start.ok;
    show(why, s.start.shown && !s.start.ok);
    put(why, capitalised(t.said(s.start, "why")));
  } };
}

function buildSetup(root, model, t) {
  const title = h("h1", { "data-name": "setup-title" });
  const more = h("p", { class: "sub s" });
  const say = h("div", { class: "s", role: "status", "data-name": "setup-problem" });
  let busy = null;
  const ctx = {
    roleName: (role) => t(`setup.role.${role}`, {}, role),
    measure: (stream) => ctx.ask("measure", { stream }, { seconds: 180, working: "setup.measuring" }),
    ask(name, args = {}, { seconds = 30, working = "" } = {}) {
      const started = performance.now();
      const count = () => put(say, working ? t(working, { n: Math.round((performance.now() - started) / 1000) }) : "");
      clearInterval(busy);
      busy = setInterval(count, 250);
      count();
      look.disabled = true;
      return request(model, name, args, seconds).then((reply) => {
        clearInterval(busy);
        look.disabled = false;
        classIf(say, "bad", !reply.ok);
        put(say, reply.ok ? "" : reply.silent ? t("ask.silent") : t.said(reply, "text"));
        draw();
      });
    },
  };
  const look = button(t("setup.look"), () => ctx.ask("look", {}, { seconds: 120, working: "setup.looking" }), { kind: "pri", name: "look" });
  const sites = h("datalist", { id: `sites-${Math.random().toString(36).slice(2)}` });
  const site = h("input", { class: "field", list: sites.id, "data-name": "site", onchange: () => ctx.ask("choose_site", { site: site.value }) });
  const parts = [foundPanel(t, ctx), rolesPanel(t, ctx), savePanel(t, ctx)];
  function draw() {
    const s = model.get("setup") || {};
    if (!s.inputs) return;
    const filled = s.inputs.filter((one) => s.connections.some((each) => each.role === one.role)).length;
    put(title, s.problems.length ? t(s.problems.length === 1 ? "setup.one_open" : "setup.n_open", { n: s.problems.length }) : t("setup.complete"));
    put(more, [t.said(s, "system"), t("setup.filled", { n: filled, of: s.inputs.length }), s.looked_at ? t("setup.looked", { n: s.found.length, at: s.looked_at }) : t("setup.not_looked")].join(" · "));
    sites.replaceChildren(...s.sites.map((name) => h("option", { value: name })));
    if (document.activeElement !== site) site.value = s.site;
    parts.forEach((part) => part.update(s));
  }
  root.append(h("section", { class: "setup", "aria-label": t("setup.title") }, h("div", { class: "head" }, h("div", { class: "grow" }, title, more, say),
    h("label", { class: "stacked" }, h("span", { class: "xs sub" }, t("setup.site")), site), sites, look), h("div", { class: "cols" }, parts.map((part) => part.el))));
  const key = (event) => {
    const typing = event.target.closest?.("input, textarea, select");
    if (event.key.toLowerCase() === "r" && !typing && !event.ctrlKey && !event.metaKey && !look.disabled && root.checkVisibility()) { event.preventDefault(); look.click(); }
  };
  document.addEventListener("keydown", key);
  model.on("change:setup", draw);
  draw();
  return () => { clearInterval(busy); document.removeEventListener("keydown", key); model.off("change:setup", draw); };
}

function render({ model, el }) {
  const root = h("div", { class: "wb wb-panel wb-page" });
  el.append(root);
  const stops = [followTheme(root, model), followLanguage(root, model, (host, t) => buildSetup(host, model, t))];
  return () => stops.forEach((stop) => stop());
}

export default { render };
