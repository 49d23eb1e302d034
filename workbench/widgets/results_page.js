// The results of a trial: what is chosen, the estimates, what was observed, and from a row to the samples behind it.
import { button, followLanguage, followTheme, h, put, request, show, whenChanged } from "./parts/dom.js";
import { light } from "./parts/icons.js";
import { figureBox } from "./parts/figures.js";
import { signedReportPanel } from "./parts/signed_report.js";

const RUN_S = 600;
const resultsHead = (t, names) => h("thead", {}, h("tr", {}, names.map(([name, number]) => h("th", { scope: "col", class: number ? "num" : "" }, name ? t(name) : h("span", { class: "hidden-label" }, t("results.leads"))))));
const roundTo = (value, digits) => (value === null || value === undefined || value === "" ? "–" : typeof value === "number" ? String(Number(value.toFixed(digits))).replace("-", "−") : String(value));
const shortHash = (sha) => String(sha || "").slice(0, 12);

/** Snapshot and plan, and the button that runs it. */
function chooser(t, ctx) {
  const snapshot = h("select", { class: "field", id: "results-snapshot", "data-name": "snapshot" });
  const plan = h("select", { class: "field", id: "results-plan", "data-name": "plan" });
  const run = button(t("results.run"), () => ctx.ask("run", { snapshot: snapshot.value, plan: plan.value }), { kind: "pri", name: "run" });
  const who = h("div", { class: "s", role: "status", "data-name": "who" });
  const progress = h("div", { class: "s sub", role: "status", "data-name": "progress" });
  const fault = h("div", { class: "fielderror", role: "alert", "data-name": "fault" });
  const none = h("p", { class: "s", "data-name": "no-snapshot" }, t("results.no_snapshot"));
  const drawChoice = whenChanged(([snapshots, plans]) => {
    // What was chosen, or what the result on the page is of.
    const shown = ctx.model.get("result") || {};
    const [at, of] = [snapshot.value || shown.snapshot?.name, plan.value || (shown.plan === "draft" ? "" : shown.plan)];
    snapshot.replaceChildren(...snapshots.map((one) => h("option", { value: one.name, disabled: !one.there }, t(`results.snapshot.${one.level}`, { name: one.name, day: one.day, seq: one.seq }) + (one.there ? "" : ` · ${t("results.snapshot.gone")}`))));
    plan.replaceChildren(...plans.map((name) => h("option", { value: name }, name || t("results.plan.draft"))));
    if (snapshots.some((one) => one.name === at)) snapshot.value = at;
    if (plans.includes(of)) plan.value = of;
  });
  const fields = h("div", { class: "choose" }, h("label", { for: "results-snapshot" }, h("span", { class: "xs sub" }, t("results.snapshot")), snapshot), h("label", { for: "results-plan" }, h("span", { class: "xs sub" }, t("results.plan")), plan), run);
  const el = h("div", { class: "panel chooser" }, h("div", { class: "bd" }, fields, none, who, progress, fault));
  return {
    el,
    update() {
      const [page, work] = [ctx.model.get("page") || {}, ctx.model.get("work") || {}];
      const has = (page.snapshots || []).length > 0;
      drawChoice([page.snapshots || [], page.plans || []]);
      show(fields, has);
      show(none, !has && !page.fault);
      run.disabled = Boolean(work.of);
      who.replaceChildren(!has ? "" : page.compares ? light("ok", t("results.compares"), false) : light("off", t("results.pooled_why", { why: t.said(page, "why") }), false));
      put(progress, work.of && work.kind === "run" ? (work.name ? t("results.progress", { n: work.n, of: work.of, name: work.name }) : t("results.begun")) : "");
      put(fault, work.fault && work.kind !== "sign" ? t.said(work, "fault") : page.fault ? t.said(page, "fault") : "");
    },
  };
}

/** Which snapshot, plan and protocol the numbers rest on, and for whom they are. */
function restsOn(t, result) {
  const [cut, word] = [result.snapshot, (name, args = {}) => t(`results.on.${name}`, args)];
  const pairs = [[word("snapshot"), t(`results.snapshot.${cut.level}`, { name: cut.name, day: cut.utc.slice(0, 10), seq: cut.head[0] })], [word("hash"), shortHash(cut.sha256)],
    [word("plan"), `${result.plan === "draft" ? t("results.plan.draft") : result.plan} · ${shortHash(result.plan_sha256)}`], [word("protocol"), result.protocol], [word("reader"), result.compares ? result.by : word("blinded")]];
  return h("dl", { class: "on s" }, pairs.flatMap(([label, value]) => [h("dt", {}, label), h("dd", {}, value)]));
}

/** The analyses of one estimand: a table, below it the forest; a row leads to the rows behind it. */
function estimandPanel(t, ctx, one, behind) {
  const figure = figureBox(one.rows.filter((row) => !row.refused).map((row) => `${row.label}: ${row.estimate}`).join("; "), t("results.drawing"), ctx.open);
  const body = h("tbody", {}, one.rows.map((row) => {
    const about = behind[row.analysis];
    const cells = row.refused ? [h("td", { colspan: 4, class: "why" }, row.estimate)] : [h("td", { class: "num nowrap" }, row.n), h("td", { class: "num nowrap" }, row.estimate), h("td", { class: "num nowrap" }, row.p), h("td", { class: "num nowrap" }, row.adjusted)];
    const open = row.refused ? null : h("button", { type: "button", class: "link", "data-name": `rows-${row.analysis}`, "aria-label": t("results.rows_of", { name: row.analysis }), onclick: () => ctx.open(row.analysis) }, t("results.rows"));
    return h("tr", { class: row.primary ? "strong" : "", "data-analysis": row.analysis }, h("th", { scope: "row" }, row.label, h("div", { class: "xs sub" }, row.method)), cells,
      h("td", {}, open, about && !row.refused ? h("details", {}, h("summary", { class: "xs", "data-name": `how-${row.analysis}` }, t("results.how")), h("dl", { class: "on xs" }, about.pairs.flatMap(([label, value]) => [h("dt", {}, label), h("dd", {}, value)])), about.notes.map((note) => h("p", { class: "xs sub" }, note))) : null));
  }));
  const names = [["results.col.analysis"], ["results.col.n", true], ["results.col.estimate", true], ["results.col.p", true], ["results.col.adjusted", true], [""]];
  const table = h("table", { class: "grid" }, resultsHead((name) => t(name, { level: one.level }), names), body);
  figure.update(one.forest);
  return { el: h("div", { class: "panel", "data-name": `estimand-${one.name}` }, h("div", { class: "hd" }, h("h2", {}, t("results.estimand", { name: one.name }))), h("div", { class: "bd" }, h("div", { class: "wide", tabindex: 0, role: "region", "aria-label": t("results.estimand", { name: one.name }) }, table), figure.el)), stop: figure.stop };
}

/** Every participant over the visits, and the numbers of the means. */
function coursePanel(t, ctx, one) {
  const said = one.table.map((row) => `${row.arm}: ${row.points.map((point) => `${point.visit} ${roundTo(point.mean, 1)}`).join(", ")}`).join("; ");
  const figure = figureBox(said, t("results.drawing"));
  const cell = (point) => { const missing = Object.entries(point.missing).map(([code, n]) => t("results.missing", { n, why: t(`results.missing.${code}`, {}, code) })); return h("td", { class: "num" }, h("div", { class: "nowrap" }, point.n ? t(point.sd === null ? "results.mean_one" : "results.mean", { mean: roundTo(point.mean, 1), sd: roundTo(point.sd, 1), n: point.n }) : "–"), missing.map((words) => h("div", { class: "xs sub" }, words))); };
  const table = h("table", { class: "grid" }, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("results.group")), one.visits.map((visit) => h("th", { scope: "col", class: "num" }, visit)))),
    h("tbody", {}, one.table.map((row) => h("tr", {}, h("th", { scope: "row" }, row.arm), row.points.map(cell)))));
  const open = h("button", { type: "button", class: "link s rt", "data-name": `rows-${one.variable}`, "aria-label": t("results.rows_of", { name: one.title }), onclick: () => ctx.open(one.variable, one.title) }, t("results.rows"));
  figure.update(one.figure);
  return { el: h("div", { class: "panel", "data-name": `course-${one.variable}` }, h("div", { class: "hd" }, h("h2", {}, t("results.course", { title: one.title })), open), h("div", { class: "bd" }, figure.el, h("div", { class: "wide", tabindex: 0, role: "region", "aria-label": one.title }, table), h("p", { class: "xs sub" }, t("results.course.how")))), stop: figure.stop };
}

/** The rows behind a number, what each rests on, and the samples on the scope. */
function rowsPanel(t, ctx) {
  const title = h("h2", { tabindex: -1, "data-name": "rows-title" });
  const count = h("span", { class: "rt" });
  const list = h("div", { class: "wide rows", tabindex: 0, role: "region", "aria-label": t("results.rows") });
  const exam = h("div", { class: "exam", "data-name": "behind" });
  const scope = scopePanel(t, ctx);
  const el = h("div", { class: "panel", hidden: true, "data-name": "rows" }, h("div", { class: "hd" }, title, count), h("div", { class: "bd" }, list, exam, scope.el));
  function behind(row, found) {
    const spans = [...found.samples.map((one) => ({ ...one, words: t("results.samples_of_trials") })), ...found.sessions.map((one) => ({ ...one, words: t("results.run_of", { n: one.run, kind: t(`results.kind.${one.kind}`, {}, one.kind) }) }))];
    const pairs = [[t("results.behind.source"), `${t(`study.table.${found.source_table}`, {}, found.source_table)} · ${found.source_id}`], [t("results.behind.version"), found.source_version], [t("results.behind.rater"), found.rater], [t("results.behind.entry"), found.entry ? `${found.entry} · ${found.hash}` : ""], [t("results.behind.key"), found.key]].filter(([, value]) => value);
    exam.replaceChildren(h("h3", { tabindex: -1, "data-name": "behind-title" }, `${found.participant} · ${found.visit}`), h("dl", { class: "on s" }, pairs.flatMap(([label, value]) => [h("dt", {}, label), h("dd", { class: "mono" }, value)])),
      h("div", { class: "row wrap" }, (ctx.model.get("opens") || []).includes("participant") ? button(t("results.person", { name: found.participant }), () => ctx.ask("participant", { participant: found.participant }), { kind: "quiet", name: "open-person" }) : null,
        spans.map((one, i) => button(t("results.samples", { what: one.words, hash: shortHash(one.sha256), span: one.span }), () => scope.show(one), { name: `samples-${i}` }))), ...(spans.length ? [] : [h("p", { class: "s sub" }, t(ctx.compares() ? "results.no_session" : "results.no_session_blinded"))]));
    exam.querySelector("[data-name=behind-title]").focus();
  }
  return {
    el,
    stop: scope.stop,
    close() { show(el, false); scope.close(); },
    async open(name, words = name) {
      const reply = await ctx.ask("rows", { analysis: name });
      if (!reply.ok) return;
      const rows = reply.value;
      scope.close();
      exam.replaceChildren();
      put(title, t("results.rows_of", { name: words }));
      put(count, rows.length);
      const told = rows.some((row) => row.arm);
      const chain = rows.some((row) => row.entry);
      const names = [["study.participant"], ...(told ? [["results.col.arm"]] : []), ["results.col.visit"], ["results.col.value", true], ["results.col.change", true], ["results.col.rater"], ...(chain ? [["results.col.entry"]] : []), [""]];
      list.replaceChildren(h("table", { class: "grid" }, resultsHead(t, names), h("tbody", {}, rows.map((row) => h("tr", {}, h("th", { scope: "row" }, row.participant), told ? h("td", {}, row.arm) : null, h("td", {}, row.visit), h("td", { class: "num" }, row.missing ? t(`results.missing.${row.missing}`, {}, row.missing) : roundTo(row.value, 3)), h("td", { class: "num" }, roundTo(row.change, 3)), h("td", {}, row.rater || "–"), chain ? h("td", { class: "mono" }, row.entry ? `${row.entry} · ${row.entry_hash.slice(0, 8)}` : "–") : null,
        h("td", {}, row.source ? h("button", { type: "button", class: "link", "data-name": "behind-row", "aria-label": t("results.behind_of", { participant: row.participant, visit: row.visit }), onclick: async () => { const answer = await ctx.ask("behind", { key: row.key }); if (answer.ok) { scope.close(); behind(row, answer.value); } } }, t("results.behind")) : null))))));
      show(el, true);
      title.focus();
      el.scrollIntoView({ block: "start" });
    },
  };
}

/** Samples of a recording with their cues; ten seconds and sixteen channels at a time. */
function scopePanel(t, ctx) {
  const title = h("h3", { tabindex: -1, "data-name": "scope-title" });
  const where = h("div", { class: "s sub mono", "data-name": "scope-where" });
  const figure = figureBox(t("results.scope"), t("results.drawing"));
  let now = null;
  let asked = null;
  const step = (by) => look(now.begin + by * (now.end - now.begin + 1), now.lane);
  const [before, after] = [button(t("results.earlier"), () => step(-1), { name: "earlier" }), button(t("results.later"), () => step(1), { name: "later" })];
  const channels = button(t("results.channels"), () => look(now.begin, now.lane + now.most >= now.channels ? 0 : now.lane + now.most), { name: "channels" });
  const el = h("div", { class: "scope", hidden: true, "data-name": "scope" }, title, where, h("div", { class: "row wrap" }, before, after, channels), figure.el);
  async function look(at, lane) {
    const reply = await ctx.ask("samples", { recording: asked.sha256, span: asked.span, at, lane }, 120);
    if (!reply.ok) return;
    now = reply.value;
    put(title, t("results.scope_of", { path: now.path }));
    put(where, t("results.scope_where", { hash: shortHash(now.recording), begin: now.begin, end: now.end, first: now.first, last: now.last, from: (now.begin / now.fs).toFixed(3), to: (now.end / now.fs).toFixed(3) }));
    before.disabled = now.begin <= now.first;
    after.disabled = now.end >= now.last;
    show(channels, now.channels > now.most);
    show(el, true);
    figure.update(now.figure, t("results.scope_where", { hash: shortHash(now.recording), begin: now.begin, end: now.end, first: now.first, last: now.last, from: (now.begin / now.fs).toFixed(3), to: (now.end / now.fs).toFixed(3) }));
  }
  return { el, stop: figure.stop, close: () => show(el, false), async show(one) { asked = one; await look(Number(one.span.split(/[-:]/)[0]), 0); if (!el.hidden) title.focus(); } };
}

function buildResultsPage(root, model, t) {
  const language = model.get("language");
  const problem = h("div", { class: "fielderror", role: "alert", "data-name": "problem" });
  const ctx = { root, model, t, ask: (name, args = {}, seconds = RUN_S) => request(model, name, args, seconds).then((reply) => { put(problem, reply.ok ? "" : reply.silent ? t("study.silent") : t.said(reply, "text")); return reply; }), compares: () => Boolean((model.get("result") || {}).compares) };
  const choose = chooser(t, ctx);
  const rows = rowsPanel(t, ctx);
  ctx.open = rows.open;
  const report = signedReportPanel(ctx);
  const title = h("p", { class: "sub s" });
  const shown = h("div", { class: "stack shown" });
  let parts = [];
  const drawResult = whenChanged(([result]) => {
    parts.forEach((part) => part.stop());
    parts = [];
    rows.close();
    if (!result.words) { shown.replaceChildren(); return; }
    const words = result.words[language];
    const [estimands, courses] = [words.estimands.map((one) => estimandPanel(t, ctx, one, words.behind)), words.courses.map((one) => coursePanel(t, ctx, one))];
    parts = [...estimands, ...courses];
    const finding = result.compares ? words.finding || t("results.no_primary") : t("results.pooled");
    shown.replaceChildren(h("div", { class: "panel" }, h("div", { class: "bd" }, result.simulated ? h("span", { class: "chip line" }, t("results.simulated")) : null, h("h2", { class: "finding", "data-name": "finding" }, finding), restsOn(t, result))), ...parts.map((part) => part.el),
      ...(courses.length ? [] : [h("p", { class: "empty" }, t("results.nothing_observed"))]));
  });
  root.append(h("section", { class: "results", "aria-label": t("results.title") },
    h("div", { class: "head" }, h("div", {}, h("h1", {}, t("results.title")), title), (model.get("opens") || []).includes("back") ? button(t("results.back"), () => ctx.ask("back"), { kind: "quiet", name: "back" }) : null), problem, h("div", { class: "stack" }, choose.el, shown, report.el, rows.el)));
  function draw() {
    const page = model.get("page") || {};
    put(title, [page.study, page.read_at ? t("results.read_at", { at: page.read_at }) : ""].filter(Boolean).join(" · "));
    choose.update();
    drawResult([model.get("result") || {}]);
    report.update();
  }
  model.on("change:page change:work change:result change:report", draw);
  draw();
  return () => { parts.forEach((part) => part.stop()); rows.stop(); model.off("change:page change:work change:result change:report", draw); };
}

function render({ model, el }) {
  const root = h("div", { class: "wb wb-panel wb-page" });
  el.append(root);
  const stops = [followTheme(root, model), followLanguage(root, model, (host, t) => buildResultsPage(host, model, t))];
  return () => stops.forEach((stop) => stop());
}

export default { render };
