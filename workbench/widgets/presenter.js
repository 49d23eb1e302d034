// What flickers or flashes, frame by frame. Nothing here is timed by a timer: frames are counted.
import { capitalised, followTheme, h, languageSwitch, put, request, translator } from "./parts/dom.js";

const TRIPS = 30; // round trips before a run begins
const MORE_TRIPS = 5; // and before each choice
const KEPT = 200; // round trips that are remembered
const LOOK = "look:";
const DISTURBED = "disturbed:";
const AGAIN_MS = 5000; // after a refusal, until clock and frames are measured again
const RESUME_S = 2; // rest before the next choice when a run is resumed
const MOST_SHOWN = 24; // items that were chosen, in the line above
const LINE = 64; // height of the line of what was chosen, and side of the square for a photodiode, px

/** Offset and drift from the shortest fifth of the round trips, and half of the longest of these as bound, ms. */
function fitClock(trips) {
  const best = [...trips].sort((a, b) => a.rtt - b.rtt).slice(0, Math.max(3, Math.ceil(trips.length / 5)));
  const at = best.reduce((sum, trip) => sum + trip.at, 0) / best.length;
  const offset = best.reduce((sum, trip) => sum + trip.offset, 0) / best.length;
  const spread = best.reduce((sum, trip) => sum + (trip.at - at) ** 2, 0);
  // A drift is fitted only where the trips span a minute: over less, its error is larger than the drift of a clock.
  const slope = spread > 3600 ? best.reduce((sum, trip) => sum + (trip.at - at) * (trip.offset - offset), 0) / spread : 0;
  return { at, offset, slope, errorMs: 500 * Math.max(...best.map((trip) => trip.rtt)) };
}

/** Boxes of the items: the table of a speller, or items that flicker, as shares of the canvas. */
function layoutOf(params) {
  const columns = params.columns || Math.ceil(Math.sqrt(params.items.length));
  const rows = Math.ceil(params.items.length / columns);
  return params.items.map((name, i) => ({ name, row: Math.floor(i / columns), column: i % columns, rows, columns }));
}

/** A word with its punctuation, or one Chinese character with what must not be parted from it. */
const PART = /（?(?:[^\s\u2e80-\uffef]+|[\u2e80-\uffef])[，。；：、）]*\s*/gu;

/** A sentence in lines of at most so many pixels; between words, and between characters of a language without spaces. */
function linesOf(pen, sentence, width) {
  pen.font = "40px sans-serif";
  const lines = [""];
  for (const part of sentence.match(PART) || []) {
    if (lines[lines.length - 1] && pen.measureText(lines[lines.length - 1] + part).width > width) lines.push("");
    lines[lines.length - 1] += part;
  }
  return lines;
}

function buildPresenter(root, model) {
  // As large as the window allows, so that no item lies below its edge; a click fills the screen.
  const fitting = "display:block;width:100%;max-height:calc(100vh - 84px);object-fit:contain;background:#000";
  const canvas = h("canvas", { width: "1200", height: "760", style: fitting, "data-name": "screen", onclick: () => canvas.requestFullscreen().catch(() => {}) });
  // Its sentence stands large on the canvas; here it is for a screen reader.
  const say = h("div", { class: "hidden-label", "data-name": "presenter-says", role: "status" });
  const square = h("input", { type: "checkbox", class: "tick", "data-name": "photodiode" });
  const about = h("span");
  const full = h("span", { class: "s sub" });
  const languages = h("div");
  const footer = h("div", { class: "row between" }, h("label", { class: "s row" }, square, about), full, languages);
  root.append(h("div", { class: "panel" }, canvas, say, footer));
  const pen = canvas.getContext("2d");
  const trips = [];
  const deltas = [];
  let clock = { at: 0, offset: 0, slope: 0, errorMs: Infinity };
  let task = null; // what is presented
  let marks = [];
  let last = 0;
  let frame = 0;
  let stopped = false;
  let starting = "";
  let again = 0;
  let bright = false; // of the square for a photodiode: it changes with every marker
  let over = false; // a run was presented here and is over
  let t = translator(model.get("language"));
  let refused = null; // the answer that refused this page

  const seconds = (ms) => ms / 1000;
  const local = (ms) => seconds(ms) + clock.offset + clock.slope * (seconds(ms) - clock.at);
  const refreshHz = () => {
    const sorted = [...deltas].sort((a, b) => a - b);
    return sorted.length ? 1000 / sorted[Math.floor(sorted.length / 2)] : 0;
  };
  const measure = async (n) => {
    for (let i = 0; i < n && !stopped; i += 1) {
      const sent = performance.now();
      const answer = await request(model, "clock", {}, 2);
      const back = performance.now();
      if (!answer.ok) continue;
      trips.push({ at: seconds((sent + back) / 2), rtt: seconds(back - sent), offset: answer.value - seconds((sent + back) / 2) });
    }
    trips.splice(0, Math.max(0, trips.length - KEPT));
    if (trips.length) clock = fitClock(trips);
  };
  /** All words again; nothing else, since a run that is presented goes on. */
  const words = () => {
    t = translator(model.get("language"));
    root.lang = model.get("language");
    put(full, t("participant.full"));
    put(about, t("presenter.square"));
    put(say, refused ? capitalised(t.said(refused, "text")) : "");
    languages.replaceChildren(languageSwitch(model, t));
  };
  const begin = async (run) => {
    if (!run || run === starting) return;
    starting = run;
    await measure(TRIPS);
    const answer = await request(model, "begin", { refresh_hz: refreshHz(), error_ms: clock.errorMs });
    refused = answer.ok ? null : answer;
    words();
    if (!answer.ok) {
      // A computer may be busy for a moment: it is asked again while the run waits for its first choice.
      starting = "";
      again = setTimeout(runs, AGAIN_MS);
      return;
    }
    task = { ...answer.value, boxes: layoutOf(answer.value.params), next: 0, delay: 0, began: 0, cue: null, onset: 0, seen: 0, done: model.get("chosen").length, over: new Set(), paused: false };
  };
  const mark = (label, ms, more = {}) => {
    marks.push({ label, local: local(ms), refresh_hz: refreshHz(), error_ms: clock.errorMs, frame, ...more });
    if (!label.startsWith(DISTURBED)) bright = !bright;
  };
  const shown = () => task && task.cue && task.cue[1] !== "rest" && !task.cue[1].startsWith(LOOK);
  const disturb = (why, ms) => {
    // Not before its cue is seen, or there would be no choice yet that it could exclude.
    if (shown() && !task.over.has(task.cue[3])) mark(`${DISTURBED} ${why}`, Math.max(ms, task.seen));
  };

  /** The decision of a choice came: what is left of it is not shown. */
  const endChoice = () => {
    const done = model.get("chosen").length;
    if (!task || done <= task.done || !task.cue) return;
    task.done = done;
    const trial = task.cue[3];
    if (trial < 0 || task.over.has(trial) || trial >= done) return;
    task.over.add(trial);
    if (task.cue[1] !== "rest") task.delay -= Math.max(0, task.began + task.cue[0] + task.delay + task.cue[2] - seconds(last));
  };

  /** A run that pauses goes dark and its open choice is excluded; a run that goes on does so with the next choice. */
  const follow = (ms, hz) => {
    if (model.get("paused") === task.paused) return;
    task.paused = model.get("paused");
    if (task.paused) {
      disturb("paused", ms);
      if (shown()) mark("rest", Math.max(ms + 1000 / hz, task.seen), { trial: task.cue[3] });
      task.cue = null;
      return;
    }
    const last = task.schedule[task.next - 1];
    if (last && last[1].startsWith(LOOK)) task.next -= 1;
    else while (task.next < task.schedule.length && task.schedule[task.next][3] <= (last ? last[3] : -1)) task.next += 1;
    if (task.next < task.schedule.length) task.delay = seconds(ms) + RESUME_S - task.began - task.schedule[task.next][0];
  };

  const advance = (ms, hz) => {
    // What is drawn now is seen with the next frame.
    const seen = ms + 1000 / hz;
    while (task.next < task.schedule.length) {
      const cue = task.schedule[task.next];
      const [at, label, duration, trial] = cue;
      if (task.over.has(trial) && label !== "rest") {
        task.delay -= duration;
        task.next += 1;
        continue;
      }
      if (task.began + at + task.delay > seconds(ms) + 0.5 / hz) return;
      task.cue = cue;
      task.onset = frame;
      task.seen = seen;
      task.next += 1;
      mark(label, seen, { duration_s: duration, trial, frames: Math.round(duration * hz) });
      if (label === "rest" && trial >= 0) measure(MORE_TRIPS);
    }
  };

  const write = (text, x, y, size, most = canvas.width) => {
    pen.font = `${size}px sans-serif`;
    pen.textAlign = "center";
    pen.fillText(text, x, y, most);
  };
  /** What was chosen, at the left above the items; where it is too long, what was chosen last. */
  const writeChosen = (chosen, gap) => {
    const items = chosen.filter(Boolean).slice(-MOST_SHOWN);
    pen.font = "40px sans-serif";
    pen.textAlign = "left";
    while (items.length > 1 && pen.measureText(items.join(gap)).width > canvas.width - LINE - 48) items.shift();
    pen.fillText(items.join(gap), 24, 46, canvas.width - LINE - 48);
  };
  const outline = (box, width, height, colour) => {
    pen.strokeStyle = colour;
    pen.lineWidth = 6;
    pen.strokeRect((box.column + 0.17) * width, LINE + (box.row + 0.12) * height, 0.66 * width, 0.76 * height);
  };
  /** What the participant reads while nothing is presented. */
  const sentence = () => {
    if (task) return task.paused ? t("presenter.paused") : "";
    if (model.get("run")) return say.textContent || t("participant.wait");
    return over ? t("presenter.over") : t("participant.wait");
  };
  const draw = (hz) => {
    pen.fillStyle = "#000";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.fillStyle = "#fff";
    if (square.checked && bright) pen.fillRect(canvas.width - LINE, 0, LINE, LINE);
    linesOf(pen, sentence(), 0.9 * canvas.width).forEach((line, i) => write(line, canvas.width / 2, canvas.height / 2 + 52 * i, 40));
    if (!task || !task.cue) return;
    const { params, cue } = task;
    const chosen = model.get("chosen");
    writeChosen(chosen, params.frequencies_hz ? " " : "");
    const label = cue[1];
    const flashing = label.startsWith("stim:") ? Number(label.split(":")[1]) - 1 : -1;
    // A flash is shorter than the time to the next one.
    const lit = flashing >= 0 && frame - task.onset < Math.round((params.flash_s || 0) * hz);
    const flickers = Boolean(params.frequencies_hz) && (label === "free" || params.items.includes(label));
    task.boxes.forEach((box, i) => {
      const width = canvas.width / box.columns;
      const height = (canvas.height - LINE) / box.rows;
      let level = 0.2;
      if (flickers) {
        const wave = Math.sin(2 * Math.PI * params.frequencies_hz[i] * (frame - task.onset) / hz + Math.PI * params.phases[i]);
        level = 0.5 * (1 + params.contrast * (model.get("wave") === "square" ? Math.sign(wave) : wave));
      } else if (flashing >= 0) {
        const single = params.layout === "single";
        const mine = single ? flashing === i : flashing < box.rows ? flashing === box.row : flashing - box.rows === box.column;
        level = lit && mine ? 0.2 + 0.8 * params.contrast : 0.2;
      }
      const asked = label === LOOK + box.name || (!params.frequencies_hz && label === box.name);
      const grey = Math.round(255 * level);
      pen.fillStyle = `rgb(${grey},${grey},${grey})`;
      pen.fillRect((box.column + 0.2) * width, LINE + (box.row + 0.15) * height, 0.6 * width, 0.7 * height);
      pen.fillStyle = level > 0.5 ? "#000" : "#fff";
      write(box.name, (box.column + 0.5) * width, LINE + (box.row + 0.62) * height, Math.round(0.35 * height), 0.56 * width);
      if (asked) outline(box, width, height, "#fff");
      if (label === "rest" && cue[3] >= 0 && chosen[cue[3]] === box.name) outline(box, width, height, "#3c3");
    });
  };

  const step = (ms) => {
    if (stopped) return;
    const hz = refreshHz();
    const passed = last && hz ? Math.round(seconds(ms - last) * hz) : 1;
    if (last && ms > last) deltas.push(ms - last);
    if (deltas.length > 120) deltas.shift();
    // Counted, not assumed: the flicker goes on where it would be, and the choice is excluded.
    frame += Math.max(1, passed);
    if (passed > 1) disturb(passed === 2 ? "1 frame dropped" : `${passed - 1} frames dropped`, ms);
    last = ms;
    if (task && task.run !== model.get("run")) {
      task = null;
      over = true;
    }
    if (task && hz) {
      if (!task.began) task.began = seconds(ms);
      endChoice();
      follow(ms, hz);
      if (!task.paused) advance(ms, hz);
    }
    draw(hz || 60);
    if (marks.length) {
      model.send({ name: "shown", args: { marks }, id: "shown" });
      marks = [];
    }
    requestAnimationFrame(step);
  };
  const hidden = () => {
    if (document.visibilityState !== "hidden") return;
    disturb("page hidden", performance.now());
    // No frame comes while the page is hidden.
    if (marks.length) model.send({ name: "shown", args: { marks }, id: "shown" });
    marks = [];
  };
  const runs = () => begin(model.get("run"));
  model.on("change:run", runs);
  model.on("change:language", words);
  document.addEventListener("visibilitychange", hidden);
  requestAnimationFrame(step);
  words();
  runs();
  return () => {
    stopped = true;
    clearTimeout(again);
    model.off("change:run", runs);
    model.off("change:language", words);
    document.removeEventListener("visibilitychange", hidden);
  };
}

function render({ model, el }) {
  const root = h("div", { class: "wb wb-panel wb-presents" });
  el.append(root);
  const stops = [followTheme(root, model), buildPresenter(root, model)];
  return () => stops.forEach((stop) => stop());
}

export default { render };
