// Several states at once, each with its probability: which is the likeliest, what guessing gives, and from where one acts.
import { classIf, fixed, h, named, put, show, whenChanged } from "./dom.js";

/** More states than these are a keyboard or a menu, and no list to be read while they change. */
const [FEWEST, MOST] = [3, 8];

export function stateBars(ctx) {
  const { t } = ctx;
  const rows = h("div", { class: "rows" });
  const marks = h("div", { class: "marks xs sub", "aria-hidden": "true" });
  const el = h("div", { class: "states", hidden: true, "data-name": "states" }, marks, rows);
  let bars = [];

  const draw = whenChanged(([classes, sure]) => {
    const lines = [["chance", 1 / classes.length, t("states.chance", { p: fixed(1 / classes.length, 2) })]];
    if (sure > 0) lines.push(["on", sure, t("states.on", { p: fixed(sure, 2) })]);
    const line = ([kind, at]) => h("i", { class: `line ${kind}`, style: `left:${100 * at}%` });
    marks.replaceChildren(h("span"), h("div", { class: "at" }, lines.map(([, at, words]) => h("span", { style: `left:${100 * at}%` }, words))), h("span"));
    bars = classes.map((name) => {
      const [fill, value] = [h("b", { class: "fill" }), h("span", { class: "v" })];
      const track = h("div", { class: "track", role: "meter", "aria-label": named(t, "cue", name), "aria-valuemin": 0, "aria-valuemax": 1 }, fill, ...lines.map(line));
      return { row: h("div", { class: "state1" }, h("span", { class: "nm" }, named(t, "cue", name)), track, value), fill, value, track };
    });
    rows.replaceChildren(...bars.map((one) => one.row));
  });

  return {
    el,
    /** e: the evidence of the status; valid: whether it can be relied on. True where it is drawn. */
    update(e, valid) {
      const drawn = Boolean(e && e.kind === "probabilities" && e.classes.length >= FEWEST && e.classes.length <= MOST && (e.values || []).length === e.classes.length);
      show(el, drawn);
      if (!drawn) return false;
      draw([e.classes, e.sure || 0]);
      const best = e.values.indexOf(Math.max(...e.values));
      bars.forEach((one, i) => {
        const p = valid ? e.values[i] : 0;
        one.fill.style.width = `${(100 * p).toFixed(1)}%`;
        one.track.setAttribute("aria-valuenow", fixed(p, 2));
        put(one.value, valid ? fixed(p, 2) : "—");
        classIf(one.row, "best", valid && i === best);
        classIf(one.row, "acts", valid && i === best && p >= (e.sure || 0));
      });
      return true;
    },
  };
}
