// Sessions at a visit: where one starts, which runs it had, and its report, made and opened here.
import { button, h, put, request, show } from "./dom.js";
import { sheet } from "./entry.js";

const NEWEST = 2;
const leadsTo = (ctx, what) => (ctx.model.get("leads") || []).includes(what);

/** Sends a request that leads elsewhere; what is refused is told on the page. */
function leadOn(ctx, name, args) {
  return request(ctx.model, name, args, 30).then((reply) => { if (!reply.ok) ctx.tell(reply.silent ? ctx.t("person.silent") : ctx.t.said(reply, "text")); });
}

/** Leads to where the session of a visit starts; null where none can. */
export function sessionLink(ctx, visit) {
  const { t } = ctx;
  if (!visit.id || !["due", "late", "ahead", "open"].includes(visit.state) || !leadsTo(ctx, "session")) return null;
  return h("button", { type: "button", class: "link xs", "data-name": `session-${visit.name}`, "aria-label": t("visit.session_of", { visit: visit.name }), onclick: () => leadOn(ctx, "start_session", { visit: visit.id }) }, t("visit.session"));
}

/** Beside the name: leads to the session of the visit that is due now. */
export function startButton(ctx) {
  const { t } = ctx;
  let visit = null;
  const el = button(t("bar.start_session"), () => leadOn(ctx, "start_session", { visit: visit[0] }), { kind: "pri", name: "to-session" });
  return {
    el,
    update: (page) => {
      visit = page.visits.find(([id, , state]) => id && state === "due") || page.visits.find(([id, , state]) => id && state === "late") || null;
      show(el, Boolean(visit) && leadsTo(ctx, "session"));
      if (visit) el.setAttribute("aria-label", t("visit.session_of", { visit: visit[1] }));
    },
  };
}

/** The report of a session: made on request, then opened in a window of its own, or named to be printed. */
function reportSheet(ctx, session) {
  const { t, model } = ctx;
  let address = "";
  sheet(ctx, t("visit.report_title", { at: session.at }), (box) => {
    const busy = h("p", { class: "s", role: "status", "data-name": "report-busy" });
    const problem = h("div", { class: "fielderror", role: "alert", "data-name": "report-problem" });
    const kept = h("p", { class: "s", "data-name": "report-kept" });
    const open = h("a", { class: "btn pri", target: "_blank", rel: "noopener", "data-name": "open-report" }, t("visit.report_open"));
    const draw = () => {
      const made = model.get("made") || {};
      const own = made.session === session.id;
      const done = own && !made.busy && Boolean(made.html);
      put(busy, own && made.busy ? t("visit.report_busy") : "");
      put(problem, own && made.fault ? t.said(made, "fault") : "");
      put(kept, done ? t("visit.report_kept", { path: made.path, pdf: made.pdf }) : "");
      show(open, done);
      if (!done || address) return;
      // The text of the file itself: the page's server hands out no files. It loads nothing and runs nothing.
      address = URL.createObjectURL(new Blob([made.html], { type: "text/html" }));
      open.href = address;
      open.focus();
    };
    box.addEventListener("close", () => { model.off("change:made", draw); if (address) URL.revokeObjectURL(address); });
    model.on("change:made", draw);
    box.append(busy, problem, kept, h("div", { class: "row end" }, open));
    draw();
    request(model, "report", { session: session.id }, 30).then((reply) => { if (!reply.ok) put(problem, reply.silent ? t("person.silent") : t.said(reply, "text")); });
  }, "report-sheet");
}

function runLine(ctx, session, run) {
  const { t } = ctx;
  const counted = Object.entries(run.trials).map(([name, n]) => t(`visit.trials.${name}`, { n }));
  const words = t("visit.run", { n: run.number, kind: t(`run.kind.${run.kind}`, {}, run.kind), state: t(`visit.run_state.${run.state}`, {}, run.state), trials: counted.join(t("person.and")) || t("visit.trials.none") });
  const result = leadsTo(ctx, "result") ? h("button", { type: "button", class: "link xs", "data-name": `result-${run.number}`, "aria-label": t("visit.result_of", { n: run.number, at: session.at }), onclick: () => leadOn(ctx, "show_result", { run: run.id }) }, t("visit.result")) : null;
  return h("li", {}, h("span", {}, words), result);
}

/** The sessions of a visit with their runs; null where there is none. */
export function sessionLines(ctx, visit) {
  const { t, model } = ctx;
  const page = model.get("page");
  const found = page.sessions.filter((one) => one.visit_id && one.visit_id === visit.id);
  if (!found.length) return null;
  const line = (one) => {
    const report = page.concealed ? null : h("button", { type: "button", class: "link xs", "data-name": `report-${one.id}`, "aria-label": t("visit.report_of", { at: one.at }), onclick: () => reportSheet(ctx, one) }, t("visit.report"));
    const head = [t("visit.session_at", { at: one.at, by: one.operator }), one.simulated ? t("visit.session_simulated") : ""].filter(Boolean).join(" · ");
    const runs = one.runs.length ? h("ul", { class: "runs" }, one.runs.map((run) => runLine(ctx, one, run))) : page.concealed ? null : h("div", { class: "xs sub" }, t("visit.no_run"));
    return h("li", { "data-name": "visit-session" }, h("div", { class: "row between" }, h("span", {}, head), report), runs);
  };
  // The newest first, and of a long training only these until somebody asks for all.
  const ordered = found.slice().reverse();
  const older = ordered.slice(NEWEST);
  const unfolded = (ctx.allSessions ||= new Set());
  const fold = older.length ? h("details", { open: unfolded.has(visit.id) }, h("summary", { "data-name": `sessions-${visit.name}` }, t("visit.older", { n: older.length })), h("ul", { class: "plain sessions s" }, older.map(line))) : null;
  if (fold) fold.addEventListener("toggle", () => (fold.open ? unfolded.add(visit.id) : unfolded.delete(visit.id)));
  return h("div", { class: "stack tight" }, h("ul", { class: "plain sessions s" }, ordered.slice(0, NEWEST).map(line)), fold);
}
