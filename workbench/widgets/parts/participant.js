// The participant's screen of a cursor task: a window of its own for a second monitor. Nothing flows back from it.
import { h, put, show } from "./dom.js";

const GLIDE_MS = 100; // a status comes ten times a second; between two of them the cursor glides
const JUMP = 0.5; // a longer way than this is a new beginning, not a movement
const VIEW = 1.6; // from the centre to the edge, in distances to a target
const LATE = 1.5; // a frame that took so many times as long as usual was dropped

/** Frames of one window, counted: how many a second, and how many were dropped. */
function frameCounter() {
  const deltas = [];
  let last = 0;
  let dropped = 0;
  const usual = () => [...deltas].sort((a, b) => a - b)[Math.floor(deltas.length / 2)] || 0;
  return {
    next(ms) {
      const passed = ms - last;
      // A second without a frame is a window that was hidden, and no count of frames.
      if (last && passed < 1000) {
        if (deltas.length > 20 && passed > LATE * usual()) dropped += Math.round(passed / usual()) - 1;
        deltas.push(passed);
        if (deltas.length > 120) deltas.shift();
      }
      last = ms;
    },
    hz: () => (usual() ? 1000 / usual() : 0),
    dropped: () => dropped,
  };
}

/** Where the cursor is drawn: it glides from one place that was decided to the next. */
function glider() {
  let from = [0, 0];
  let to = [0, 0];
  let since = 0;
  const at = (ms) => {
    const share = Math.min(1, (ms - since) / GLIDE_MS);
    return from.map((x, i) => x + share * (to[i] - x));
  };
  return {
    at,
    go(place, ms) {
      if (place[0] === to[0] && place[1] === to[1]) return;
      from = Math.hypot(place[0] - to[0], place[1] - to[1]) > JUMP ? place : at(ms);
      to = place;
      since = ms;
    },
  };
}

function paint(pen, size, shown, place) {
  const unit = Math.min(size.width, size.height) / (2 * VIEW);
  const point = ([x, y]) => [size.width / 2 + x * unit, size.height / 2 - y * unit]; // on a screen up is less
  const disc = (at, radius, colour, filled) => {
    pen.beginPath();
    pen.arc(...point(at), radius * unit, 0, 2 * Math.PI);
    pen[filled ? "fillStyle" : "strokeStyle"] = colour;
    pen.lineWidth = 0.03 * unit;
    if (filled) pen.fill();
    else pen.stroke();
  };
  pen.fillStyle = "#000";
  pen.fillRect(0, 0, size.width, size.height);
  pen.textAlign = "center";
  const write = (text, y, share, colour) => {
    pen.fillStyle = colour;
    pen.font = `${Math.round(share * size.height)}px sans-serif`;
    pen.fillText(text, size.width / 2, y * size.height);
  };
  if (shown.hint) write(shown.hint, 0.985, 0.02, "#999");
  if (shown.sentence) {
    write(shown.sentence, 0.5, 0.05, "#fff");
    return;
  }
  for (const [name, where] of Object.entries(shown.task.targets)) {
    disc(where, shown.task.radius, name === shown.label ? "#3c3" : "#555", name === shown.label);
  }
  disc(place, 0.09, "#fff", true);
  pen.textAlign = "left";
  pen.fillStyle = "#fff";
  pen.font = `${Math.round(0.04 * size.height)}px sans-serif`;
  pen.fillText(shown.score, 0.02 * size.width, 0.06 * size.height);
}

/** Opens the window and draws in it, frame by frame, what the store holds. */
function openScreen(store, title) {
  const popup = window.open("", "workbench-participant", "popup,width=1000,height=800");
  if (!popup) return false;
  const page = popup.document;
  page.title = title;
  const canvas = page.createElement("canvas");
  page.body.replaceChildren(canvas);
  page.body.style.cssText = "margin:0;background:#000;overflow:hidden";
  const pen = canvas.getContext("2d");
  const frames = frameCounter();
  const glide = glider();
  const full = () => page.documentElement.requestFullscreen().catch(() => {});
  page.addEventListener("click", full);
  store.screen = { popup, frames };
  const step = (ms) => {
    if (popup.closed || store.screen.popup !== popup) return;
    frames.next(ms);
    if (canvas.width !== popup.innerWidth) canvas.width = popup.innerWidth;
    if (canvas.height !== popup.innerHeight) canvas.height = popup.innerHeight;
    const shown = store.shown;
    if (shown.task) glide.go(shown.task.position, ms);
    paint(pen, canvas, { ...shown, hint: page.fullscreenElement ? "" : shown.hint }, glide.at(ms));
    popup.requestAnimationFrame(step);
  };
  popup.requestAnimationFrame(step);
  return true;
}

/** The button that opens the participant's screen, and how many frames it shows. */
export function participantScreen(ctx) {
  const { t, store } = ctx;
  const say = h("span", { class: "xs", "data-name": "participant-frames", role: "status" });
  let blocked = false;
  const open = () => {
    blocked = !openScreen(store, t("participant.title"));
    ctx.refresh();
  };
  const el = h("div", { class: "row xs participant" },
    h("button", { type: "button", class: "link", "data-name": "open-screen", onclick: open }, t("participant.open")), say);
  const sentence = (run) => {
    if (ctx.link().lost || !run) return t("participant.wait");
    if (run.state === "running" && run.task) return "";
    return run.state === "paused" ? t("presenter.paused") : ctx.goes() ? t("participant.wait") : t("presenter.over");
  };
  return {
    el,
    update(s) {
      const run = s.run;
      const cue = run && run.cue;
      const done = run ? run.trials.filter((one) => one.outcome !== "excluded") : [];
      const score = t("participant.score", { n: done.filter((one) => one.outcome === "correct").length, all: done.length });
      store.shown = { task: run && run.task, label: cue ? cue.label : "", sentence: sentence(run), hint: t("participant.full"), score: done.some((one) => one.outcome !== "recorded") ? score : "" };
      const screen = store.screen && !store.screen.popup.closed ? store.screen : null;
      show(el, Boolean((run && run.task) || ctx.form().targets || screen));
      const frames = screen && { hz: screen.frames.hz().toFixed(0), n: screen.frames.dropped() };
      put(say, blocked ? t("participant.blocked") : frames ? t("participant.frames", frames) : "");
    },
  };
}
