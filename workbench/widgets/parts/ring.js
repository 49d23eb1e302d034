// A cycle as a ring: where in it the movement is, and between which phases the effector is let through.
import { classIf, fixed, h, put, show, whenChanged } from "./dom.js";

const [MIDDLE, WINDOW_R, TRACK_R, HAND_R] = [60, 46, 55, 50];

/** A point of the ring; phase 0 is at the top, and phases go round clockwise. */
function at(phase, r) {
  const angle = 2 * Math.PI * phase;
  return `${(MIDDLE + r * Math.sin(angle)).toFixed(2)} ${(MIDDLE - r * Math.cos(angle)).toFixed(2)}`;
}

const length = ({ begin, end }) => (((end - begin) % 1) + 1) % 1;
const holds = (one, phase) => (((phase - one.begin) % 1) + 1) % 1 < length(one);
const arc = (one) => `M${at(one.begin, WINDOW_R)}A${WINDOW_R} ${WINDOW_R} 0 ${length(one) > 0.5 ? 1 : 0} 1 ${at(one.end, WINDOW_R)}`;

export function phaseRing(ctx) {
  const { t } = ctx;
  const figure = h("div", { class: "fig", role: "img", "data-name": "ring" });
  const cycle = h("b");
  const known = h("span", { class: "s sub", role: "status" });
  const names = h("div", { class: "wins" });
  const el = h("div", { class: "ring", hidden: true }, figure, h("div", { class: "said" }, h("div", {}, cycle, " ", h("span", { class: "s mute" }, t("ring.cycle"))), known, names));
  const name = (one) => one.name || t("ring.window");
  let [arcs, hand] = [[], null];

  const drawWindows = whenChanged((windows) => {
    const paths = windows.map((one) => `<path class="win" d="${arc(one)}"/>`).join("");
    figure.innerHTML = `<svg viewBox="0 0 120 120" aria-hidden="true"><circle class="track" cx="${MIDDLE}" cy="${MIDDLE}" r="${TRACK_R}"/><path class="zero" d="M${at(0, TRACK_R - 3)}L${at(0, TRACK_R + 4)}"/>${paths}<g class="hand"><path d="M${MIDDLE} ${MIDDLE}L${at(0, HAND_R)}"/><circle cx="${MIDDLE}" cy="${MIDDLE - HAND_R}" r="5"/></g></svg>`;
    arcs = [...figure.querySelectorAll(".win")];
    hand = figure.querySelector(".hand");
    names.replaceChildren(...windows.map((one) => h("span", { class: "s" }, h("i"), `${name(one)} ${fixed(one.begin, 2)}–${fixed(one.end, 2)}`)));
  });

  return {
    el,
    /** e: the evidence of the status; valid: whether it can be relied on. True where it is drawn. */
    update(e, valid) {
      const drawn = Boolean(e && e.kind === "phase");
      show(el, drawn);
      if (!drawn) return false;
      const [phase, rate] = e.values;
      // What another stream holds back is a phase all the same.
      const sure = valid && (e.agreed?.signal ?? !e.rejected);
      drawWindows(e.windows || []);
      const on = (e.windows || []).map((one) => sure && holds(one, phase));
      arcs.forEach((one, i) => classIf(one, "on", on[i]));
      [...names.children].forEach((one, i) => classIf(one, "on", on[i]));
      classIf(figure, "unknown", !sure);
      hand.setAttribute("transform", `rotate(${(360 * (sure ? phase : 0)).toFixed(1)} ${MIDDLE} ${MIDDLE})`);
      put(cycle, sure && rate > 0 ? t("unit.s", { n: fixed(1 / rate, 2) }) : "—");
      const inside = (e.windows || []).filter((_, i) => on[i]).map(name);
      put(known, !sure ? t("ring.unknown") : inside.length ? t("ring.inside", { phase: fixed(phase, 2), name: inside[0] }) : t("ring.phase", { phase: fixed(phase, 2) }));
      figure.setAttribute("aria-label", `${t("ring.title")}: ${known.textContent}`);
      return true;
    },
  };
}
