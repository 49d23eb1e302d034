// Recruitment curves, one small box for each contact and muscle, and the EMG behind the newest of them.
import { fixed, h } from "./dom.js";

const line = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

/** One box: current across up to the top of the ramp, share of the muscle's largest response upward. */
export function curveSvg(one, m, topMa) {
  const [w, hgt] = [46, 24];
  const x = (ma) => 1 + (ma / topMa) * (w - 2);
  const y = (share) => hgt - 2 - share * (hgt - 5);
  const points = [[1, y(0)], ...one.currents_ma.map((ma, i) => [x(ma), y(one.shares[m][i])])];
  const found = one.found[m];
  const mark = (ma, name) => (ma === null || ma === undefined ? "" : `<path class="${name}" d="M${x(ma).toFixed(1)} ${hgt - 1}v-4"/>`);
  const last = one.currents_ma[one.currents_ma.length - 1];
  const cut = ["discomfort", "limit", "stopped"].includes(one.ended) ? `<path class="cut" d="M${x(last).toFixed(1)} 1V${hgt - 1}"/>` : "";
  return `<svg viewBox="0 0 ${w} ${hgt}" preserveAspectRatio="none" aria-hidden="true"><path class="curve" d="${line(points)}"/>${cut}${mark(found.threshold_ma, "thr")}${mark(found.saturation_ma, "sat")}</svg>`;
}

/** The words of a box, for who does not see it. */
export function curveWords(t, muscle, contact, found) {
  const none = t("cmap.none");
  return t("cmap.box", {
    contact, muscle, threshold: found && found.threshold_ma !== null ? `${fixed(found.threshold_ma, 1)} mA` : none,
    saturation: found && found.saturation_ma !== null ? `${fixed(found.saturation_ma, 1)} mA` : none,
    selectivity: found && found.selectivity !== null ? fixed(found.selectivity, 2) : none,
  });
}

function axis(t, x, bottom, most, unit) {
  const ticks = [0, 10, 20, 30, 40].filter((ms) => ms <= most);
  return ticks.map((ms) => `<path class="tick" d="M${x(ms).toFixed(1)} 6V${bottom}"/><text x="${x(ms).toFixed(1)}" y="${bottom + 14}" text-anchor="middle">${ms}${ms === ticks[ticks.length - 1] ? ` ${unit}` : ""}</text>`).join("");
}

/** EMG of each muscle after the first pulse, on one scale. */
export function tracesPanel(t, sweep, muscles, names) {
  if (!sweep.traces) return h("p", { class: "empty" }, t("cmap.no_sweep"));
  const [left, width, each] = [150, 300, Math.min(24, 150 / muscles.length)];
  const most = Math.max(100, ...sweep.traces.flat().map(Math.abs));
  const x = (ms) => left + (ms / 45) * width;
  const bottom = 8 + each * muscles.length;
  const rows = sweep.traces.map((trace, m) => {
    const mid = 8 + each * (m + 0.5);
    const d = line(trace.map((uv, i) => [x(i * sweep.dt_ms), mid - (uv / most) * each * 0.75]));
    return `<text x="0" y="${mid + 4}">${names[m]}</text><path class="emg" d="${d}"/><text x="${left + width + 66}" y="${mid + 4}" text-anchor="end">${Math.round(sweep.first_uv[m])} µV</text>`;
  });
  return h("div", { class: "traces", html: `<svg viewBox="0 0 520 ${bottom + 18}" role="img" aria-label="${t("cmap.traces")}">${axis(t, x, bottom, 45, "ms")}${rows.join("")}</svg>` });
}

/** The pair of pulses of the muscle that answers most, and what the second response tells. */
export function pairPanel(t, sweep, name) {
  if (!sweep.pair) return h("p", { class: "empty" }, t("cmap.no_sweep"));
  const { trace, first_uv: first, second_uv: second } = sweep.pair;
  const most = Math.max(100, ...trace.map(Math.abs));
  const x = (ms) => 8 + (ms / 120) * 226;
  const d = line(trace.map((uv, i) => [x(i * sweep.dt_ms), 66 - (uv / most) * 52]));
  const pulse = (ms, words) => `<path class="pulse" d="M${x(ms)} 122v8"/><text x="${x(ms)}" y="144" text-anchor="middle">${words}</text>`;
  const clear = first >= 200;
  const share = second / first;
  const verdict = !clear ? t("cmap.pair_unclear") : share < 0.5 ? t("cmap.pair_reflex") : t("cmap.pair_direct");
  const svg = `<svg viewBox="0 0 250 150" role="img" aria-label="${t("cmap.pair_of", { muscle: name })}"><path class="emg" d="${d}"/>${pulse(2, t("cmap.pulse_1"))}${pulse(52, t("cmap.pulse_2"))}</svg>`;
  return h("div", { class: "pair" }, h("div", { html: svg }),
    h("div", { class: "say" }, h("b", { class: "big", "data-name": "second" }, clear ? `${Math.round(share * 100)} %` : "—"), h("p", { class: "xs sub" }, t("cmap.second")), h("p", { class: "xs sub" }, verdict), h("p", { class: "xs mute" }, t("cmap.pair_in", { muscle: name, first: Math.round(first), second: Math.round(second) }))));
}
