// A head seen from above, and where the electrodes of the 10-10 system sit on it (projected from the sphere, in % of the
// square). Electrodes of other names stand below it, side by side: nobody told where they are.
import { h } from "./dom.js";

const SITES = {
  Fp1: [40, 15], Fpz: [50, 15], Fp2: [60, 15], AF9: [25, 11], AF7: [30, 19], AF5: [35, 21], AF3: [40, 22], AF1: [45,
  23], AFz: [50, 24], AF2: [55, 23], AF4: [60, 22], AF6: [65, 21], AF8: [70, 19], AF10: [75, 11], F9: [13, 21], F7:
  [21, 27], F5: [28, 29], F3: [36, 31], F1: [43, 32], Fz: [50, 32], F2: [57, 32], F4: [64, 31], F6: [72, 29], F8: [79,
  27], F10: [87, 21], FT9: [6, 35], FT7: [15, 37], FC5: [24, 39], FC3: [33, 40], FC1: [42, 40], FCz: [50, 41], FC2:
  [58, 40], FC4: [67, 40], FC6: [76, 39], FT8: [85, 37], FT10: [94, 35], T9: [3, 51], T7: [13, 50], C5: [24, 50], C3:
  [33, 49], C1: [42, 49], Cz: [50, 49], C2: [58, 49], C4: [67, 49], C6: [76, 50], T8: [87, 50], T10: [97, 51], TP9:
  [7, 66], TP7: [16, 63], CP5: [25, 60], CP3: [34, 58], CP1: [42, 57], CPz: [50, 57], CP2: [58, 57], CP4: [66, 58],
  CP6: [75, 60], TP8: [84, 63], TP10: [93, 66], P9: [16, 78], P7: [23, 72], P5: [30, 69], P3: [36, 66], P1: [43, 65],
  Pz: [50, 65], P2: [57, 65], P4: [64, 66], P6: [70, 69], P8: [77, 72], P10: [84, 78], PO9: [27, 86], PO7: [31, 78],
  PO5: [35, 76], PO3: [40, 74], PO1: [45, 73], POz: [50, 73], PO2: [55, 73], PO4: [60, 74], PO6: [65, 76], PO8: [69,
  78], PO10: [73, 86], O1: [41, 81], Oz: [50, 81], O2: [59, 81], O9: [38, 89], Iz: [50, 90], O10: [62, 89], M1: [3,
  67], M2: [97, 67]
};
const OLD_NAMES = { T3: "T7", T4: "T8", T5: "P7", T6: "P8", A1: "M1", A2: "M2" };
const HEAD = '<svg viewBox="0 0 100 100" aria-hidden="true"><path d="M45.5 6.200L50 1l4.5 5.200" fill="none" stroke="var(--line-strong)" stroke-width=".8"/><circle cx="50" cy="50" r="44" fill="none" stroke="var(--line-strong)" stroke-width=".8"/></svg>';
const BY_NAME = Object.fromEntries(Object.keys(SITES).map((name) => [name.toUpperCase(), SITES[name]]));

/** Where an electrode sits, [x, y] in %; undefined for a name that says nothing. */
export function siteOf(name) {
  const plain = String(name).trim().replace(/^EEG[ _-]*/i, "").replace(/[-_ ](REF|LE|AVG?)$/i, "").toUpperCase();
  return BY_NAME[(OLD_NAMES[plain] || plain).toUpperCase()];
}

/** Marks at their electrodes; `entries` are {name, mark, title}, and `words` says the same for who cannot see it. */
export function headMap(entries, words) {
  const placed = entries.map((one) => [one, siteOf(one.name)]);
  const seated = placed.filter(([, site]) => site);
  const others = placed.filter(([, site]) => !site);
  const mark = (one, style) => h("span", { class: "site", style, title: one.title }, one.mark);
  return h("div", { class: "headmap", role: "img", "aria-label": words },
    seated.length ? h("div", { class: "headtop" }, h("div", { html: HEAD }), seated.map(([one, [x, y]]) => mark(one, `left:${x}%;top:${y}%`))) : null,
    others.length ? h("div", { class: "headrest" }, others.map(([one]) => h("span", { class: "seat" }, mark(one), h("small", {}, one.name)))) : null);
}
