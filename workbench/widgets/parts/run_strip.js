// Progress of the run: trials, time left, and Start / Pause / End run. Ending a run asks first and states what is kept.
import { button, capitalised, classIf, clock, confirmation, h, knows, named, put, show, whenChanged } from "./dom.js";

/** A schedule moves the effector in these runs; the operator always reads which one it is. */
const SCHEDULED = ["passive", "open_loop", "sham", "mapping"];
const TICKS = { correct: "ok", recorded: "ok", missed: "miss", wrong: "false", excluded: "ex" };

export function runStrip(ctx) {
  const { t } = ctx;
  const title = h("h1");
  const subtitle = h("div", { class: "cap" });
  const done = h("span");
  const total = h("small");
  const left = h("div", { class: "big" });
  const leftCap = h("div", { class: "cap" });
  const ticks = h("div", { class: "ticks", role: "img" });
  const legend = h("div", { class: "leg" });
  const say = h("div", { class: "say two", role: "status" });
  const actions = h("div", { class: "do" });
  const counts = h("div", {}, h("div", { class: "big", "data-name": "trials" }, done, total), h("div", { class: "cap" }, t("run.trials_done")));
  const rest = h("div", {}, left, leftCap);
  const ticksBox = h("div", { class: "ticksbox" }, ticks, legend, say);
  const el = h("section", { class: "run", "aria-label": t("run.title") }, h("div", {}, title, subtitle), counts, rest, ticksBox, actions);

  const drawTicks = whenChanged(([trials, count, now, calibration]) => {
    const marks = [];
    const tally = { ok: 0, miss: 0, false: 0, ex: 0 };
    for (let i = 0; i < count; i += 1) {
      const trial = trials.find((one) => one.index === i);
      const kind = trial ? TICKS[trial.outcome] || "ok" : i === now ? "now" : "todo";
      if (trial) tally[kind] += 1;
      marks.push(h("i", { class: `tk-${kind}` }));
    }
    classIf(ticks, "few", count <= 24);
    classIf(ticks, "many", count > 60);
    ticks.replaceChildren(...marks);
    const todo = Math.max(0, count - trials.length);
    const entry = (kind, word, n) => (n ? h("span", {}, h("i", { class: `tk-${kind}` }), t(word, { n })) : null);
    const words = [
      entry("ok", calibration ? "run.recorded" : "run.correct", tally.ok), entry("miss", "run.missed", tally.miss),
      entry("false", "run.wrong", tally.false), entry("ex", "run.excluded", tally.ex), entry("todo", "run.todo", todo),
    ].filter(Boolean);
    legend.replaceChildren(...words);
    ticks.setAttribute("aria-label", words.map((word) => word.textContent).join(", "));
  });

  const question = confirmation(el);
  const askEnd = (run) => question.open({
    title: t("run.end_question", { n: run.number }), text: t("run.end_keeps", { done: run.trials_done, total: run.trials_total }),
    no: t("run.keep_going"), yes: t("run.end_now"), name: "end-now", act: () => ctx.ask("end_run"),
  });

  // A form between runs, buttons during one; rebuilt only when the possible actions change.
  const drawActions = whenChanged(([mode, kinds, trials, why, latched, setting]) => {
    question.close();
    if (mode === "running" || mode === "paused") {
      const resume = mode === "paused";
      const toggle = button(t(resume ? "run.resume" : "run.pause"), () => ctx.ask(resume ? "resume" : "pause"), { name: resume ? "resume" : "pause" });
      toggle.disabled = resume && Boolean(why);
      actions.replaceChildren(...[
        resume && why ? h("span", { class: "reason" }, why) : null, ...(setting && !resume ? settingForm(setting) : []), toggle,
        button(t("run.end"), () => askEnd(ctx.status().run || {}), { name: "end" }),
      ].filter(Boolean));
    } else if (mode === "start_session") {
      const start = button(t("run.start_session"), () => ctx.ask("start_session", {}, 120), { kind: "pri", name: "start-session" });
      actions.replaceChildren(start);
    } else if (mode === "idle") actions.replaceChildren(...startForm(kinds, trials, latched));
    else actions.replaceChildren();
  });

  /** A mapping run goes on by the operator alone: apply the setting, then note the reaction to it. */
  function settingForm(setting) {
    const level = setting.level.map((value) => `${Math.round(100 * value)} %`).join(", ");
    if (!setting.awaits_reaction) return [button(t("run.apply_setting", { level }), () => ctx.ask("apply_setting"), { kind: "pri", name: "apply-setting" })];
    const words = h("input", { class: "field", "aria-label": t("run.reaction", { level }), placeholder: t("run.reaction", { level }), "data-name": "reaction" });
    return [words, button(t("run.note_reaction"), () => ctx.ask("note_reaction", { words: words.value }), { kind: "pri", name: "note-reaction" })];
  }

  /** The chosen kind and a number that was typed stay: a latched stop explains why nothing starts, and changes no choice. */
  function startForm(kinds, trials, latched) {
    const kind = h("select", { class: "field", "aria-label": t("run.kind"), "data-name": "kind" },
      kinds.map((one) => h("option", { value: one.kind }, t(`run.kind.${one.kind}`))));
    const offered = kinds.some((one) => one.kind === ctx.store.kind) ? ctx.store.kind : (kinds.filter((one) => one.ok && !SCHEDULED.includes(one.kind)).pop() || kinds[0] || {}).kind;
    kind.value = offered || "";
    const about = h("span", { class: "xs sub", "data-name": "decoder-used" });
    const number = h("input", { class: "field num", type: "number", min: 1, max: 200, value: ctx.store.trials || trials, "data-name": "n-trials" });
    number.addEventListener("input", () => { ctx.store.trials = number.value; });
    const reason = h("span", { class: "reason", role: "status" });
    const start = button(t("run.start"), () => {
      start.disabled = true;
      ctx.store.trials = "";
      ctx.ask("start_run", { kind: kind.value, n_trials: Number(number.value) }).finally(() => { start.disabled = false; });
    }, { kind: "pri", name: "start-run" });
    const check = () => {
      const chosen = kinds.find((one) => one.kind === kind.value) || { ok: false, why: "why.no_kind" };
      const ok = chosen.ok && !latched;
      start.disabled = !ok;
      put(reason, ok ? "" : latched ? t("why.stop_latched") : knows(chosen.why) ? t(chosen.why) : t.said(chosen, "why"));
      put(about, chosen.decoder ? t("run.decoder_used", decoderWords(chosen.decoder)) : "");
      show(about, ok && Boolean(chosen.decoder));
      show(reason, !ok);
      if (!ctx.store.trials) number.value = chosen.n_trials || trials;
    };
    kind.addEventListener("change", () => { ctx.store.kind = kind.value; check(); });
    check();
    return [h("span", { class: "about" }, reason, about), kind, h("label", {}, number, t("run.trials")), start];
  }

  /** Which decoder an online run would use: hash, age, who approved it and when. */
  function decoderWords(one) {
    return { hash: one.hash, age: one.days === 0 ? t("run.today") : t("run.days", { n: one.days }), by: t.said(one, "by"), when: one.when };
  }

  function heading(run, link) {
    if (link.state === "ending") return [t("run.ending"), ""];
    if (run) return [t("run.number", { n: run.number }), [SCHEDULED.includes(run.kind) ? t(`run.kind.${run.kind}`) : "", named(t, "paradigm", run.paradigm)].filter(Boolean).join(" · ")];
    if (link.state === "live") return [t("run.ready"), named(t, "paradigm", ctx.form().paradigm || "")];
    if (link.state === "starting") return [t("run.connecting"), ""];
    return [t(link.key ? "run.session_ended" : "run.no_session"), ""];
  }

  function sentence(run, link) {
    if (ctx.refusal() || ctx.told()) return ctx.refusal() || ctx.told();
    if (link.key) return t(link.key, link.args);
    if (!run) return link.state === "live" ? t("run.empty") : t.said(link, "sentence") || t("run.no_session_more");
    if (run.state === "compiling") return t("run.compiling");
    if (ctx.goes()) return "";
    const key = `run.state.${run.state}`;
    const streams = (ctx.status().streams || []).map((one) => one.name);
    const stopped = ((run.said || {}).sentence || {}).code === "run.stopped_because"; // the alarm of the STOP says why
    const why = stopped ? "" : t.said(run, "sentence");
    return [knows(key) ? t(key) : run.state, capitalised(why, streams)].filter(Boolean).join(" ");
  }

  return {
    el,
    update(s) {
      const run = s.run;
      const link = ctx.link();
      const live = ctx.goes();
      const [one, two] = heading(run, link);
      put(title, one);
      put(subtitle, two);
      put(done, run ? run.trials_done : 0);
      put(total, ` / ${run ? run.trials_total : ctx.form().n_trials || "—"}`);
      show(counts, link.state === "live");
      show(rest, Boolean(live));
      put(left, clock(run && (run.left_real_s ?? run.left_s)));
      put(leftCap, run && run.state === "paused" ? t("run.paused") : t("run.left"));
      show(ticks, Boolean(run));
      const words = sentence(run, link);
      show(legend, Boolean(run) && !words);
      show(say, Boolean(words));
      put(say, words);
      classIf(say, "bad", Boolean(ctx.refusal()) || (run && run.state === "failed"));
      if (run) drawTicks([run.trials || [], run.trials_total || 0, run.state === "running" ? run.trials_done : -1, run.kind === "calibration"]);
      const latched = Boolean((s.session || {}).stopped);
      const kinds = ctx.form().kinds || [];
      const worklist = (ctx.place().views || []).includes("today");
      const mode = link.state === "none" ? (ctx.form().can_start && !worklist ? "start_session" : "") : link.state !== "live" || link.lost ? "wait"
        : live ? (run.state === "paused" ? "paused" : run.state === "running" ? "running" : "wait") : "idle";
      drawActions([mode, kinds, ctx.form().n_trials || 20, mode === "paused" ? ctx.blocked() : "", latched, live && run.setting ? run.setting : null]);
    },
  };
}
