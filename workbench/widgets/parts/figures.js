// Figures that Python made, drawn by the program that the page was sent (widgets.Drawing).
import { h, put, show } from "./dom.js";

const DRAWN_MS = 100;

/** A figure with its words for who cannot see it; `chosen` is told what the mark that was clicked stands for. */
export function figureBox(label, waiting, chosen) {
  const box = h("div", { class: "plot", role: "img", "aria-label": label });
  const wait = h("div", { class: "empty" }, waiting);
  const el = h("div", { class: "figure" }, wait, box);
  let timer = 0;
  let last = "";
  function draw() {
    const program = window.Plotly;
    if (!program || !el.isConnected) return;
    clearInterval(timer);
    timer = 0;
    const { data, layout } = JSON.parse(last);
    program.react(box, data, { ...layout, autosize: true }, { displayModeBar: false, responsive: true }).then(() => {
      if (chosen) { box.removeAllListeners?.("plotly_click"); box.on("plotly_click", (event) => { const key = event.points[0]?.customdata; if (key) chosen(String(key)); }); }
    });
    show(wait, false);
  }
  return {
    el,
    update(figure, words) {
      if (words) box.setAttribute("aria-label", words);
      show(el, Boolean(figure));
      if (!figure || figure === last) return;
      last = figure;
      if (!timer) timer = setInterval(draw, DRAWN_MS);
    },
    stop() { clearInterval(timer); if (window.Plotly && last) window.Plotly.purge(box); put(wait, ""); },
  };
}
