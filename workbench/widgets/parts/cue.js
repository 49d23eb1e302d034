// What the participant sees, mirrored. The onset of a cue is never animated.
import { fixed, h, named, put, show, whenChanged } from "./dom.js";
import { CUES } from "./icons.js";
import { participantScreen } from "./participant.js";

const SVG = "http://www.w3.org/2000/svg";
const REACH = 1.6;

function circle(x, y, r, cls) {
  const one = document.createElementNS(SVG, "circle");
  // On the screen up is less, in the task it is more.
  for (const [key, value] of Object.entries({ cx: x, cy: -y, r, class: cls })) one.setAttribute(key, value);
  return one;
}

/** The targets of a cursor, the cued one filled, and where the cursor is. */
function plane(cursor, label) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `${-REACH} ${-REACH} ${2 * REACH} ${2 * REACH}`);
  svg.setAttribute("class", "plane");
  svg.setAttribute("data-name", "cursor");
  for (const [name, [x, y]] of Object.entries(cursor.targets)) svg.append(circle(x, y, cursor.radius, name === label ? "target cued" : "target"));
  svg.append(circle(cursor.position[0], cursor.position[1], 0.09, "dot"));
  return svg;
}

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
  const screen = participantScreen(ctx);
  const el = h("div", { class: "panel cue" }, h("div", { class: "hd" }, h("h2", {}, t("cue.title")), trial),
    h("div", { class: "bd" }, picture, word, more, progress, screen.el));
  const draw = whenChanged(([label, attempt]) => {
    picture.innerHTML = CUES[label] || CUES[""];
    el.classList.toggle("go", attempt);
  });
  return {
    el,
    update(s) {
      screen.update(s);
      const run = s.run;
      const cue = run && run.state === "running" ? run.cue : null;
      const resting = !cue || cue.label === "rest";
      const cursor = run && run.state === "running" ? run.task : null;
      draw([cue ? cue.label : "rest", !resting, Boolean(cursor)]);
      if (cursor) picture.replaceChildren(plane(cursor, cue ? cue.label : ""));
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
