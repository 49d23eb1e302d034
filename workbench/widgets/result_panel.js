// The result of a run: sentence, numbers with intervals, trials in order, next steps.
import { button, followLanguage, followTheme, h, named, put, request, show } from "./parts/dom.js";
import { light } from "./parts/icons.js";

const TICK = { correct: "ok", recorded: "ok", missed: "miss", wrong: "false", false_start: "false", excluded: "ex" };
const MOST_ROWS = 8; // with more conditions most rows would hold one trial
const TAGS = ["fatigue", "spasm", "interrupted", "cap_moved"];
const say = (t, one) => (one.key ? t(one.key, one.args || {}) : t.said(one, "text"));
const SVG = "http://www.w3.org/2000/svg";
const draw = (name, attributes, text) => {
  const el = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) el.setAttribute(key, value);
  if (text !== undefined) el.textContent = text;
  return el;
};

/** Each choice in order: what was asked for, and below it what was selected where that is something else. */
function selectionCells(t, trials) {
  const words = (one) => (one.outcome === "wrong" && one.decided ? t("result.selected", { asked: named(t, "cue", one.condition), got: named(t, "cue", one.decided) }) : named(t, "cue", one.condition));
  return h("div", { class: "choices", role: "img", "aria-label": trials.map(words).join(", ") }, trials.map((one) => h("span", { class: "choice", title: words(one) },
    h("b", {}, named(t, "cue", one.condition)), h("i", { class: `tk-${TICK[one.outcome] || "ok"}` }), h("small", {}, one.outcome === "wrong" && one.decided ? named(t, "cue", one.decided) : ""))));
}

/** One row per condition, each trial at its place; below, the onset of each activation on the same axis. */
function trialsPanel(t, result) {
  const trials = result.trials || [];
  const conditions = [...new Set(trials.map((one) => one.condition))];
  const columns = `grid-template-columns:repeat(${Math.max(1, trials.length)},minmax(3px,1fr))`;
  const rows = conditions.length > MOST_ROWS ? selectionCells(t, trials) : conditions.map((name) => {
    const own = trials.filter((one) => one.condition === name);
    const judged = own.filter((one) => one.outcome !== "excluded");
    const right = judged.filter((one) => ["correct", "recorded"].includes(one.outcome)).length;
    return h("div", { class: "trow" }, h("span", { class: "s" }, named(t, "cue", name)), h("div", { class: "strip", style: columns, role: "img", "aria-label": t("result.row", { condition: named(t, "cue", name), right, n: judged.length }) },
      trials.map((one) => h("i", { class: one.condition === name ? `tk-${TICK[one.outcome] || "ok"}` : "tk-none" }))), h("b", { class: "s semi" }, t("result.of", { right, n: judged.length })));
  });
  const counts = ["correct", "missed", "wrong", "excluded"].map((outcome) => [outcome, trials.filter((one) => one.outcome === outcome).length]).filter(([, n]) => n);
  const onset = trials.some((one) => Number.isFinite(one.onset_s)) ? onsetPlot(t, result, trials) : null;
  return h("div", { class: "panel" }, h("div", { class: "hd wrap" }, h("h2", {}, t("result.trials")), h("span", { class: "rt leg" }, counts.map(([outcome, n]) => h("span", {}, h("i", { class: `tk-${TICK[outcome]}` }), t(`run.${outcome}`, { n }))))),
    h("div", { class: "bd" }, rows, onset, trials.length ? trialsTable(t, trials) : null));
}

/** Every trial in numbers, folded away: the content of the strip for a closer look and for screen readers. */
function trialsTable(t, trials) {
  const seconds = (value) => (Number.isFinite(value) ? value.toFixed(2) : "—");
  const said = (one) => [t(`result.outcome.${one.outcome}`), one.outcome === "wrong" && one.decided ? named(t, "cue", one.decided) : "", t.said(one, "excluded")].filter(Boolean).join(" · ");
  const columns = [["trial", (one) => one.index + 1], ["cue", (one) => named(t, "cue", one.condition)], ["outcome", said], ["onset", (one) => seconds(one.onset_s)], ["release", (one) => seconds(one.release_s)], ["held", (one) => seconds(one.held_s)], ["false", (one) => one.false ?? "—"]];
  const kind = (name) => (["cue", "outcome"].includes(name) ? "" : "num");
  return h("details", { class: "alltrials" }, h("summary", { "data-name": "all-trials" }, t("result.all_trials", { n: trials.length })),
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("result.all_trials", { n: trials.length }) }, h("table", { class: "grid" }, h("thead", {}, h("tr", {}, columns.map(([name]) => h("th", { scope: "col", class: kind(name) }, t(`result.col.${name}`))))),
      h("tbody", {}, trials.map((one) => h("tr", {}, columns.map(([name, value]) => h("td", { class: kind(name) }, value(one)))))))));
}

function onsetPlot(t, result, trials) {
  const most = Math.max(1, Math.ceil(2 * Math.max(result.window_s || 0, ...trials.map((one) => one.onset_s || 0))) / 2);
  const [width, height] = [1000, 170];
  const x = (i) => ((i + 0.5) * width) / trials.length; // below the middle of the trial's own mark
  const y = (s) => height - 22 - (s / most) * (height - 34);
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img", "aria-label": t("result.onsets", { median: Number.isFinite(result.median_s) ? result.median_s.toFixed(2) : "—" }) });
  for (const s of [0, most / 2, most]) svg.append(draw("line", { x1: 0, x2: width, y1: y(s), y2: y(s), class: "grid" }));
  if (result.middle_s) svg.append(draw("rect", { x: 0, width, y: y(result.middle_s[1]), height: y(result.middle_s[0]) - y(result.middle_s[1]), class: "middle" }));
  if (Number.isFinite(result.median_s)) svg.append(draw("line", { x1: 0, x2: width, y1: y(result.median_s), y2: y(result.median_s), class: "median" }));
  trials.forEach((one, i) => {
    if (one.outcome === "missed" && Number.isFinite(result.window_s)) svg.append(draw("line", { x1: x(i), x2: x(i), y1: 9, y2: 9, class: "nomark" }));
    if (!Number.isFinite(one.onset_s)) return;
    svg.append(draw("line", { x1: x(i), x2: x(i), y1: y(0), y2: y(one.onset_s), class: "stem" }), draw("line", { x1: x(i), x2: x(i), y1: y(one.onset_s), y2: y(one.onset_s), class: "dotmark" }));
  });
  return h("div", { class: "trow onset" }, h("span", { class: "xs sub" }, t("result.onset_axis"), h("span", { class: "scale2" }, [most, most / 2, 0].map((s) => h("span", { style: `top: ${(100 * y(s)) / height}%` }, s)))), svg, h("span", { class: "s" }, Number.isFinite(result.median_s) ? t("result.median", { s: result.median_s.toFixed(2) }) : "", Number.isFinite(result.window_s) && trials.some((one) => one.outcome === "missed") ? h("div", { class: "xs sub" }, t("result.none_in", { s: result.window_s })) : null));
}

/** This run beside the last ones of the same participant, each with its interval; grey is the reach of guessing. */
function besidePanel(t, result) {
  const at = (share) => `${(100 * share).toFixed(1)}%`;
  const more = (result.runs || []).some((one) => "onset" in one);
  const cells = (one) => (more ? [h("span", { class: "s num" }, Number.isFinite(one.false) ? one.false.toFixed(1) : "—"), h("span", { class: "s num" }, Number.isFinite(one.onset) ? `${one.onset.toFixed(2)} s` : "—")] : []);
  const head = h("div", { class: `acc xs mute ${more ? "more" : ""}` }, h("span"), h("span", {}, Number.isFinite(result.limit_share) ? t("result.guessing_limit", { p: Math.round(100 * result.limit_share) }) : ""), more ? [h("span", { class: "num" }, t("result.beside_false")), h("span", { class: "num" }, t("result.beside_onset"))] : null);
  const rows = (result.runs || []).map((one) => h("div", { class: `acc ${more ? "more" : ""} ${one.now ? "semi" : ""}` }, h("span", { class: `s ${one.now ? "semi" : ""}` }, one.now ? t("result.now", { name: one.name }) : one.name, h("small", { class: "xs mute" }, ` ${one.when || ""}`)),
    h("div", { class: "track", role: "img", "aria-label": t("result.beside_row", { name: one.name, value: Math.round(100 * one.value) }) }, Number.isFinite(result.limit_share) ? h("div", { class: "zone", style: `width:${at(result.limit_share)}` }) : null,
      Number.isFinite(one.low) ? h("i", { class: "span", style: `left:${at(one.low)};width:${at(one.high - one.low)}` }) : null, h("i", { class: `point ${one.now ? "" : "hollow"}`, style: `left:${at(one.value)}` })), cells(one)));
  return rows.length ? h("div", { class: "panel" }, h("div", { class: "hd" }, h("h2", {}, t("result.beside", { participant: result.participant }))), h("div", { class: "bd" }, head, rows, h("div", { class: "xs mute" }, t("result.beside_axis")))) : null;
}

function notePanel(t, model) {
  const chosen = new Set();
  const tags = TAGS.map((tag) => {
    const one = button(t(`result.tag.${tag}`), () => {
      if (!chosen.delete(tag)) chosen.add(tag);
      one.setAttribute("aria-pressed", String(chosen.has(tag)));
      one.classList.toggle("on", chosen.has(tag));
    }, { kind: "tag", name: `tag-${tag}` });
    one.setAttribute("aria-pressed", "false");
    return one;
  });
  const words = h("textarea", { class: "field area", rows: 4, "aria-label": t("result.note"), "data-name": "note" });
  const problem = h("div", { class: "fielderror", role: "alert" });
  const kept = h("div", { class: "s", role: "status", "data-name": "note-kept" });
  const keep = button(t("result.keep_note"), () => {
    request(model, "note", { text: words.value, tags: [...chosen] }).then((reply) => {
      put(problem, reply.ok ? "" : reply.silent ? t("ask.silent") : t.said(reply, "text"));
      if (reply.ok) words.value = "";
      put(kept, reply.ok ? t.said(reply, "value") : "");
    });
  }, { name: "keep-note" });
  return h("div", { class: "panel" }, h("div", { class: "hd" }, h("h2", {}, t("result.note")), h("span", { class: "rt" }, t("result.note_how"))), h("div", { class: "bd stack" }, h("div", { class: "tags" }, tags), words, problem, keep, kept));
}

/** ``told``: what the newest step came to, kept while the page is drawn again in another language. */
function buildResult(root, model, t, told) {
  const result = model.get("result") || {};
  const problem = h("div", { class: "fielderror", role: "alert" });
  const done = h("div", { class: "s done", role: "status", "data-name": "step-done" });
  const tell = () => {
    const reply = told.reply;
    put(problem, !reply || reply.ok ? "" : reply.silent ? t("ask.silent") : t.said(reply, "text"));
    put(done, reply && reply.ok ? t.said(reply, "value") : "");
  };
  tell();
  const title = result.state === "stopped" ? t("result.stopped", { done: (result.trials || []).length, total: result.total })
    : result.kind === "calibration" ? t("result.calibrated", { participant: result.participant, n: (result.trials || []).length })
      : result.kind !== "online" ? t("result.scheduled", { participant: result.participant, n: (result.trials || []).length, kind: t(`run.kind.${result.kind}`) })
      : result.failed ? t("result.title_failed", { participant: result.participant })
        : t(result.cued ? "result.title_cued" : "result.title", { participant: result.participant, hits: result.hits, n: result.n });
  const more = result.state === "stopped" ? t("result.kept_all") : result.kind === "calibration" ? t("result.calibrated_more") : result.kind !== "online" ? t("result.scheduled_more")
    : result.limit === null || result.limit === undefined ? t("result.no_limit") : [t(result.above ? "result.above" : "result.not_above", { limit: result.limit, n: result.n }), result.shuffles ? t("result.shuffled", { shuffles: result.shuffles.toLocaleString("en") }) : ""].filter(Boolean).join(" ");
  const numbers = (result.numbers || []).map((one) => h("div", {}, h("b", {}, one.value, one.unit ? h("small", {}, ` ${one.unit}`) : null), h("span", {}, say(t, one))));
  const next = (result.next || []).map((one) => h("button", { type: "button", class: `btn step ${one.primary ? "pri" : ""}`, "data-name": `next-${one.name}`, onclick: () => request(model, "act", { name: one.name }, 120).then((reply) => { told.reply = reply; tell(); }) }, h("span", {}, t(`result.next.${one.name}`)), one.key ? h("small", {}, say(t, one)) : null));
  const integrity = (result.integrity || []).map((one) => h("li", {}, light(one.state), h("span", {}, say(t, one))));
  const used = (result.decoder || []).flatMap((one) => [h("dt", {}, t(`result.decoder.${one.name}`)), h("dd", {}, say(t, one))]);
  root.append(h("section", { class: "resultpage", "aria-label": t("view.result") }, h("div", { class: "cols" },
    h("div", { class: "col" }, h("div", { class: "verdict one" }, h("h1", { "data-name": "result-title" }, title), h("p", { class: "sub" }, more)), h("div", { class: "nums" }, numbers), trialsPanel(t, result),
      h("div", { class: "low3" }, besidePanel(t, result), integrity.length ? h("div", { class: "panel" }, h("div", { class: "hd" }, h("h2", {}, t("result.integrity"))), h("div", { class: "bd" }, h("ul", { class: "chk" }, integrity))) : null,
        used.length ? h("div", { class: "panel" }, h("div", { class: "hd" }, h("h2", {}, t("result.decoder"))), h("div", { class: "bd" }, h("dl", { class: "kv" }, used))) : null)),
    h("div", { class: "col" }, h("div", { class: "panel" }, h("div", { class: "hd" }, h("h2", {}, t("result.next"))), h("div", { class: "bd stack" }, next, done, problem)), result.can_note ? notePanel(t, model) : null))));
  show(problem, true);
  return null;
}

function render({ model, el }) {
  const root = h("div", { class: "wb wb-panel wb-page" });
  el.append(root);
  const told = { reply: null };
  const stops = [followTheme(root, model), followLanguage(root, model, (host, t) => buildResult(host, model, t, told))];
  return () => stops.forEach((stop) => stop());
}

export default { render };
