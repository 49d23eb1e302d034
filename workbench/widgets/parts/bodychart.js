// The body chart: our own schematic drawing of one half, mirrored. Each region shows its dermatome's score; nothing is smoothed.
import { h } from "./dom.js";

const HEAD = [["C2", "M0 4C13 4 21 14 21 27L21 34 0 34Z"], ["C3", "M0 35L21 35C20 44 16 50 12 53L12 62 0 62Z"], ["C4", "M0 63L12 63C14 70 30 74 46 78C40 82 36 85 34 90L0 90Z"]];
const ARM = [["C5", "M47 79C57 83 62 92 63 104L68 150 59 152 52 104C50 96 44 90 38 88C40 84 43 81 47 79Z"],
  ["T1", "M37 90C43 92 48 98 50 106L57 152 60 192 52 193 43 128C40 112 36 108 35.5 104Z"],
  ["C6", "M59 153L68 151 76 200 80 214 84 228 80 231 73 220 69 206Z"],
  ["C7", "M61 193L68.5 207 72 221 76 244 71 246 66 232 62 208Z"],
  ["C8", "M53 194L60 193.5 61 208 65 233 66 243 61 243 57 228 53 208Z"]];
const LEG_FRONT = [["L1", "M0 212L27.5 212C30 218 32 224 33 230L4 242L0 236Z"], ["L2", "M33.5 231C36 246 36 260 36 270L6 288L4 243Z"],
  ["L3", "M36 271C36 292 34 306 32 322L9 328L6 289Z"], ["L4", "M20 327L9.5 329C8 347 10 372 12 402L18 402Z"],
  ["L5", "M32 323L21 327L19 402L14 416L28 424L30 419L25 402C30 372 34 347 32 323Z"], ["S1", "M30.5 419L28.5 424L34 426L35 421L26 402Z"]];
const LEG_BACK = [["L3", "M27.8 216C31 224 36 246 36 270L26 272C26 254 24 234 18 216Z"],
  ["S3", "M0 216L17 216C22 226 24 238 24 248C16 254 7 253 0 246Z"],
  ["S4_5", "M0 226C6 226 9 231 9 236C9 241 6 244 0 244Z"],
  ["S2", "M4 251C10 255 17 254 20 251.5C21 270 20 296 19 324L9 328L6 289Z"],
  ["S1", "M21 251L25 249C26 256 26 264 26 273L29 322L20 324C21 298 22 272 21 251ZM19.5 325L28.5 323C28 350 25 380 22 402L24 420L14 421L14 402C17 376 19 350 19.5 325Z"],
  ["L5", "M27 273L36 271C36 292 34 306 32 322C34 347 30 372 25 402L23 402C26 380 29 350 30 322Z"],
  ["L4", "M18.5 325L9.5 329C8 347 10 372 12 402L13 402C16 376 18 350 18.5 325Z"]];

/** Bands of the trunk: equal slices between the shoulders and the waist. */
function trunk(names) {
  const step = 121 / names.length;
  const half = (y) => 34 - (6.8 * (y - 91)) / 120;
  return names.map((name, i) => {
    const top = 91 + i * step;
    const end = top + step - 0.8;
    return [name, `M0 ${top.toFixed(1)}L${half(top).toFixed(1)} ${top.toFixed(1)}L${half(end).toFixed(1)} ${end.toFixed(1)}L0 ${end.toFixed(1)}Z`];
  });
}
const THORAX = Array.from({ length: 11 }, (_, i) => `T${i + 2}`);
const RINGS = [["S2", 27], ["S3", 18], ["S4_5", 9]];
export const VIEWS = {
  front: [...HEAD, ...trunk(THORAX), ...ARM, ...LEG_FRONT],
  back: [...HEAD, ...trunk([...THORAX, "L1", "L2"]), ...ARM, ...LEG_BACK],
};

const SVG = "http://www.w3.org/2000/svg";
let charts = 0;

function draw(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Hatching for 1 and dots for NT, so that scores can be read without colour. */
function patterns(id) {
  const hatch = draw("pattern", { id: `${id}-one`, width: 5, height: 5, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    draw("rect", { width: 5, height: 5, fill: "var(--surface)" }), draw("rect", { width: 1.7, height: 5, fill: "var(--seq-2)" }));
  const dots = draw("pattern", { id: `${id}-nt`, width: 4, height: 4, patternUnits: "userSpaceOnUse" },
    draw("rect", { width: 4, height: 4, fill: "var(--surface)" }), draw("circle", { cx: 2, cy: 2, r: 0.9, fill: "var(--ink)" }));
  return draw("defs", {}, hatch, dots);
}

/** One figure for one grid: `look(code)` gives [class of the score, text], `go(code)` goes to the cell, `label` names it. */
export function bodyFigure(grid, view, look, go, label) {
  charts += 1;
  const id = `wb-body-${charts}`;
  const svg = draw("svg", { viewBox: "8 -2 184 504", class: "figure", role: "img", "aria-label": label, style: `--one:url(#${id}-one);--nt:url(#${id}-nt)` }, patterns(id));
  const regions = [];
  const region = (side, segment, shape) => {
    const code = `${side}.${grid}.${segment}`;
    const title = draw("title", {});
    const path = draw("path", { ...shape, "data-region": code }, title);
    path.addEventListener("click", () => go(code));
    regions.push({ code, path, title });
    return path;
  };
  for (const side of ["right", "left"]) {
    const seenLeft = (side === "right") === (view === "front");
    const half = draw("g", { transform: seenLeft ? "translate(99.1,0) scale(-1,1)" : "translate(100.9,0)" });
    for (const [segment, path] of VIEWS[view]) half.append(region(side, segment, { d: path }));
    svg.append(half);
    for (const [segment, r] of RINGS) {
      const x = seenLeft ? 99 : 101;
      svg.append(region(side, segment, { d: `M${x} ${470 - r}A${r} ${r} 0 0 ${seenLeft ? 0 : 1} ${x} ${470 + r}Z` }));
    }
  }
  return {
    el: svg,
    update(current) {
      for (const { code, path, title } of regions) {
        const [kind, words] = look(code);
        path.setAttribute("class", `d ${kind}${code === current ? " cur" : ""}`);
        if (title.textContent !== words) title.textContent = words;
      }
    },
  };
}

/** Both grids side by side, front or back, with the legend. */
export function bodyChart(ctx, look, go) {
  const { t } = ctx;
  let view = "front";
  let figures = [];
  const figs = h("div", { class: "figs" });
  const heads = h("div", { class: "fh" });
  const buttons = ["front", "back"].map((one) => h("button", { type: "button", "data-name": `view-${one}`, onclick: () => { view = one; build(); ctx.redraw(); } }, t(`isncsci.view.${one}`)));
  function build() {
    const sides = view === "front" ? ["R", "L"] : ["L", "R"];
    figures = ["lightTouch", "pinPrick"].map((grid) => bodyFigure(grid, view, look, go, `${t("isncsci.chart")}: ${t(`isncsci.${grid}`)}, ${t(`isncsci.view.${view}`)}`));
    figs.replaceChildren(...figures.map((one) => one.el), h("div", { class: "seg small", role: "group", "aria-label": t("isncsci.view") }, buttons));
    heads.replaceChildren(...["lightTouch", "pinPrick"].map((grid) => h("div", {}, h("span", {}, t(`isncsci.${sides[0]}`)), h("b", { class: "semi" }, t(`isncsci.${grid}`)), h("span", {}, t(`isncsci.${sides[1]}`)))));
    buttons.forEach((one, i) => {
      one.classList.toggle("on", ["front", "back"][i] === view);
      one.setAttribute("aria-pressed", String(["front", "back"][i] === view));
    });
  }
  build();
  const legend = h("div", { class: "keyrow" }, ["v2", "v1", "v0", "vnt", "vno"].map((one) => h("span", {}, h("i", { class: one }), t(`isncsci.legend.${one}`))), h("span", { class: "mute" }, t("isncsci.rings")));
  return {
    el: h("section", { class: "panel chart", "aria-label": t("isncsci.chart") }, heads, figs, legend),
    update: (current) => figures.forEach((one) => one.update(current)),
  };
}
