// The result of a run: sentence, numbers with intervals, trials in order, what comes next.
import { button, followLanguage, followTheme, h, named, put, request, show } from "./parts/dom.js";
import { light } from "./parts/icons.js";

const TICK = { correct: "ok", recorded: "ok", missed: "miss", wrong: "false", false_start: "false", excluded: "ex" };
const TAGS = ["fatigue", "spasm", "interrupted", "cap_moved"];
const say = (t, one) => (one.key ? t(one.key, one.args || {}) : t.said(one.text || ""));
const SVG = "http://www.w3.org/2000/svg";
const draw = (name, attributes, text) => {
  const el = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) el.setAttribute(key, value);
  if (text !== undefined) el.textContent = text;
  return el;
};

/** One row a condition, each trial at its place; under them the onset of each activation on the same axis. */
function trialsPanel(t, result) {
  const trials = result.trials || [];
  const conditions = [...new Set(trials.map((one) => one.condition))];
  const columns = `grid-template-columns:repeat(${Math.max(1, trials.length)},minmax(3px,1fr))`;
  const rows = conditions.map((name) => {
    const own = trials.filter((one) => one.condition === name);
    const judged = own.filter((one) => one.outcome !== "excluded");
    const right = judged.filter((one) => ["correct", "recorded"].includes(one.outcome)).length;
    return h("div", { class: "trow" }, h("span", { class: "s" }, named(t, "cue", name)), h("div", { class: "strip", style: columns, role: "img", "aria-label": t("result.row", { condition: named(t, "cue", name), right, n: judged.length }) },
      trials.map((one) => h("i", { class: one.condition === name ? `tk-${TICK[one.outcome] || "ok"}` : "tk-none" }))), h("b", { class: "s semi" }, t("result.of", { right, n: judged.length })));
  });
  const counts = ["correct", "missed", "wrong", "excluded"].map((outcome) => [outcome, trials.filter((one) => one.outcome === outcome).length]).filter(([, n]) => n);
  const onset = trials.some((one) => Number.isFinite(one.onset_s)) ? onsetPlot(t, result, trials) : null;
  return h("div", { class: "panel" }, h("div", { class: "hd wrap" }, h("h2", {}, t("result.trials")), h("span", { class: "rt leg" }, counts.map(([outcome, n]) => h("span", {}, h("i", { class: `tk-${TICK[outcome]}` }), t(`run.${outcome}`, { n }))))),
    h("div", { class: "bd" }, rows, onset));
}

function onsetPlot(t, result, trials) {
  const most = Math.max(1, Math.ceil(2 * Math.max(...trials.map((one) => one.onset_s || 0))) / 2);
  const [width, height, left, right] = [1000, 170, 10, 10];
  const x = (i) => left + ((i + 0.5) * (width - left - right)) / trials.length;
  const y = (s) => height - 22 - (s / most) * (height - 34);
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img", "aria-label": t("result.onsets", { median: Number.isFinite(result.median_s) ? result.median_s.toFixed(2) : "—" }) });
  for (const s of [0, most / 2, most]) svg.append(draw("line", { x1: 0, x2: width, y1: y(s), y2: y(s), class: "grid" }));
  if (Number.isFinite(result.median_s)) svg.append(draw("line", { x1: 0, x2: width, y1: y(result.median_s), y2: y(result.median_s), class: "median" }));
  trials.forEach((one, i) => {
    if (!Number.isFinite(one.onset_s)) return;
    svg.append(draw("line", { x1: x(i), x2: x(i), y1: y(0), y2: y(one.onset_s), class: "stem" }), draw("circle", { cx: x(i), cy: y(one.onset_s), r: 5, class: "dotmark" }));
  });
  return h("div", { class: "trow onset" }, h("span", { class: "xs sub" }, t("result.onset_axis"), h("span", { class: "scale2" }, [most, most / 2, 0].map((s) => h("span", { style: `top: ${(100 * y(s)) / height}%` }, s)))), svg, h("span", { class: "s" }, Number.isFinite(result.median_s) ? t("result.median", { s: result.median_s.toFixed(2) }) : ""));
}

/** This run beside the last ones of the same person, each with its interval; grey is what guessing reaches. */
function besidePanel(t, result) {
  const at = (share) => `${(100 * share).toFixed(1)}%`;
  const rows = (result.runs || []).map((one) => h("div", { class: "acc" }, h("span", { class: `s ${one.now ? "semi" : ""}` }, one.now ? t("result.now", { name: one.name }) : one.name, h("small", { class: "xs mute" }, ` ${one.when || ""}`)),
    h("div", { class: "track", role: "img", "aria-label": t("result.beside_row", { name: one.name, value: Math.round(100 * one.value) }) }, Number.isFinite(result.limit_share) ? h("div", { class: "zone", style: `width:${at(result.limit_share)}` }) : null,
      Number.isFinite(one.low) ? h("i", { class: "span", style: `left:${at(one.low)};width:${at(one.high - one.low)}` }) : null, h("i", { class: `point ${one.now ? "" : "hollow"}`, style: `left:${at(one.value)}` }))));
  return rows.length ? h("div", { class: "panel" }, h("div", { class: "hd" }, h("h2", {}, t("result.beside", { participant: result.participant }))), h("div", { class: "bd" }, rows, h("div", { class: "xs mute" }, t("result.beside_axis")))) : null;
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
      put(problem, reply.ok ? "" : reply.silent ? t("ask.silent") : t.said(reply.text));
      if (reply.ok) words.value = "";
      put(kept, reply.ok ? t.said(model.get("kept")) : "");
    });
  }, { name: "keep-note" });
  return h("div", { class: "panel" }, h("div", { class: "hd" }, h("h2", {}, t("result.note")), h("span", { class: "rt" }, t("result.note_how"))), h("div", { class: "bd stack" }, h("div", { class: "tags" }, tags), words, problem, keep, kept));
}

function buildResult(root, model, t) {
  const result = model.get("result") || {};
  const problem = h("div", { class: "fielderror", role: "alert" });
  const title = result.state === "stopped" ? t("result.stopped", { done: (result.trials || []).length, total: result.total })
    : result.kind === "calibration" ? t("result.calibrated", { participant: result.participant, n: (result.trials || []).length })
      : result.failed ? t("result.title_failed", { participant: result.participant })
        : t(result.cued ? "result.title_cued" : "result.title", { participant: result.participant, hits: result.hits, n: result.n });
  const more = result.state === "stopped" ? t("result.kept_all") : result.kind === "calibration" ? t("result.calibrated_more")
    : result.limit === null || result.limit === undefined ? t("result.no_limit") : t(result.above ? "result.above" : "result.not_above", { limit: result.limit, n: result.n });
  const numbers = (result.numbers || []).map((one) => h("div", {}, h("b", {}, one.value, one.unit ? h("small", {}, ` ${one.unit}`) : null), h("span", {}, say(t, one))));
  const next = (result.next || []).map((one) => h("button", { type: "button", class: `btn step ${one.primary ? "pri" : ""}`, "data-name": `next-${one.name}`, onclick: () => request(model, "act", { name: one.name }, 120).then((reply) => { put(problem, reply.ok ? "" : reply.silent ? t("ask.silent") : t.said(reply.text)); }) }, h("span", {}, t(`result.next.${one.name}`)), one.key ? h("small", {}, say(t, one)) : null));
  const integrity = (result.integrity || []).map((one) => h("li", {}, light(one.state), h("span", {}, say(t, one))));
  const used = (result.decoder || []).flatMap((one) => [h("dt", {}, t(`result.decoder.${one.name}`)), h("dd", {}, one.key ? say(t, one) : one.text)]);
  root.append(h("section", { class: "resultpage", "aria-label": t("view.result") }, h("div", { class: "cols" },
    h("div", { class: "col" }, h("div", { class: "verdict one" }, h("h1", { "data-name": "result-title" }, title), h("p", { class: "sub" }, more)), h("div", { class: "nums" }, numbers), trialsPanel(t, result),
      h("div", { class: "low3" }, besidePanel(t, result), integrity.length ? h("div", { class: "panel" }, h("div", { class: "hd" }, h("h2", {}, t("result.integrity"))), h("div", { class: "bd" }, h("ul", { class: "chk" }, integrity))) : null,
        used.length ? h("div", { class: "panel" }, h("div", { class: "hd" }, h("h2", {}, t("result.decoder"))), h("div", { class: "bd" }, h("dl", { class: "kv" }, used))) : null)),
    h("div", { class: "col" }, h("div", { class: "panel" }, h("div", { class: "hd" }, h("h2", {}, t("result.next"))), h("div", { class: "bd stack" }, next, problem)), result.can_note ? notePanel(t, model) : null))));
  show(problem, true);
  return null;
}

function render({ model, el }) {
  const root = h("div", { class: "wb wb-panel wb-page" });
  el.append(root);
  const stops = [followTheme(root, model), followLanguage(root, model, (host, t) => buildResult(host, model, t))];
  return () => stops.forEach((stop) => stop());
}

export default { render };
