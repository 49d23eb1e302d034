// What the participant sees, mirrored. The onset of a cue is never animated.
import { fixed, h, named, put, show, whenChanged } from "./dom.js";
import { CUES } from "./icons.js";

export function cuePanel(ctx) {
  const { t } = ctx;
  const trial = h("span", { class: "rt" });
  const picture = h("span");
  const word = h("div", { class: "word", "data-name": "cue" });
  const more = h("div", { class: "s" });
  const fill = h("i");
  const now = h("span");
  const next = h("span");
  const progress = h("div", { class: "foot" }, h("div", { class: "prog" }, fill), h("div", { class: "row between xs", style: "margin-top:5px" }, now, next));
  const el = h("div", { class: "panel cue" }, h("div", { class: "hd" }, h("h2", {}, t("cue.title")), trial),
    h("div", { class: "bd" }, picture, word, more, progress));
  const draw = whenChanged(([label, attempt]) => {
    picture.innerHTML = CUES[label] || CUES[""];
    el.classList.toggle("go", attempt);
  });
  return {
    el,
    update(s) {
      const run = s.run;
      const cue = run && run.state === "running" ? run.cue : null;
      const resting = !cue || cue.label === "rest";
      draw([cue ? cue.label : "rest", !resting]);
      put(trial, cue && cue.trial >= 0 ? t("cue.attempt", { n: cue.trial + 1 }) : "");
      show(progress, Boolean(cue && cue.duration_s));
      put(word, cue ? named(t, "cue", cue.label) : run && run.state === "paused" ? t("cue.paused") : t("cue.none"));
      put(more, cue ? "" : run && run.state === "running" ? t("cue.waiting") : t("cue.empty"));
      show(more, !cue);
      if (cue && cue.duration_s) {
        const part = Math.min(1, Math.max(0, cue.elapsed_s / cue.duration_s));
        fill.style.width = `${(100 * part).toFixed(1)}%`;
        put(now, t("cue.progress", { now: fixed(Math.min(cue.elapsed_s, cue.duration_s), 1), all: fixed(cue.duration_s, 1) }));
        const following = cue.next;
        const label = following && typeof following === "object" ? following.label : following;
        put(next, label ? t("cue.next", { next: named(t, "cue", label).toLowerCase() }) : "");
      }
    },
  };
}
