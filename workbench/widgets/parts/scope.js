// The scope: Canvas2D, binary increments, drawn at most once per animation frame, with the age of its data.
// It draws the raw signal with each lane's mean removed for display; decoding has its own filter.
import { age, classIf, fixed, h, put, show, whenChanged } from "./dom.js";
import { light } from "./icons.js";

const SECONDS = 10;
const LANES = 16;
const STEPS = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000];
const STALE_S = 1.0;
const LAMP = { good: "ok", check: "medium", bad: "high" };

/** The last ten seconds of every channel, filled by increments. A hole in the sample count stays a hole. */
export class SignalBuffer {
  constructor() {
    this.names = [];
    this.reset("", 0, []);
  }

  reset(key, fs, names) {
    this.key = key;
    this.fs = fs;
    this.names = names;
    this.size = Math.max(1, Math.round(fs * SECONDS));
    this.rows = names.map(() => new Float32Array(this.size).fill(NaN));
    this.next = null;
    this.age = null;
    this.at = undefined;
  }

  /** message: {first, fs, names, n, age_s}; values: n × channels float32, sample-major. */
  push(message, values) {
    const key = `${message.fs}|${message.names.join("|")}`;
    // Other channels, or a count that went backwards: another run. Nothing of the old one may stay on screen.
    if (key !== this.key || (this.next !== null && message.first + message.n < this.next)) this.reset(key, message.fs, message.names);
    this.age = message.age_s;
    this.at = performance.now();
    const channels = this.names.length;
    if (!message.n || !channels) return;
    if (this.next !== null && message.first > this.next) this.hole(Math.min(message.first - this.next, this.size));
    const skip = this.next === null ? 0 : Math.max(0, this.next - message.first);
    for (let c = 0; c < channels; c += 1) {
      const row = this.rows[c];
      for (let i = skip; i < message.n; i += 1) row[(message.first + i) % this.size] = values[i * channels + c];
    }
    this.next = message.first + message.n;
  }

  hole(count) {
    for (const row of this.rows) for (let i = 0; i < count; i += 1) row[(this.next + i) % this.size] = NaN;
  }

  /** Seconds since the newest sample; counts on while nothing arrives. */
  ageNow() {
    return this.at === undefined || this.age === null ? null : this.age + (performance.now() - this.at) / 1000;
  }

  /** Stream time of the newest sample, s. */
  now() {
    return this.next === null ? null : this.next / this.fs;
  }
}

function meanOf(row) {
  let sum = 0;
  let n = 0;
  // NaN is the only value that differs from itself: holes are left out of the mean.
  for (let i = 0; i < row.length; i += 1) if (row[i] === row[i]) { sum += row[i]; n += 1; }
  return n ? sum / n : 0;
}

/** One lane as vertical strokes: lowest and highest value per pixel column, so nothing between is lost. */
function trace(g, buffer, row, box) {
  const { size, next } = buffer;
  const middle = meanOf(row);
  const limit = box.height * 0.95;
  const y = (v) => box.y + Math.max(-limit, Math.min(limit, -(v - middle) * box.scale));
  let open = false;
  g.beginPath();
  for (let x = 0; x < box.width; x += 1) {
    const from = next - size + Math.floor((x * size) / box.width);
    const to = Math.max(from + 1, next - size + Math.floor(((x + 1) * size) / box.width));
    let low = Infinity;
    let high = -Infinity;
    for (let i = from; i < to; i += 1) {
      const v = i < 0 ? NaN : row[i % size];
      if (v < low) low = v;
      if (v > high) high = v;
    }
    if (low === Infinity) { open = false; continue; }
    if (open) g.lineTo(x, y(low)); else g.moveTo(x, y(low));
    g.lineTo(x, y(high));
    open = true;
  }
  g.stroke();
}

export function scopePanel(ctx) {
  const { t, buffer } = ctx;
  let page = 0;
  let status = {};
  let queued = false;
  const span = h("span", { class: "s mute", "data-name": "lane-scale" });
  const scale = h("select", { class: "field scale", "aria-label": t("scope.scale"), title: t("scope.scale") },
    h("option", { value: "" }, t("scope.auto")), STEPS.map((n) => h("option", { value: n }, t("unit.uv", { n }))));
  const turn = (by) => { page += by; draw(); };
  const back = h("button", { type: "button", class: "link", "aria-label": t("scope.back"), onclick: () => turn(-1) }, "‹");
  const forth = h("button", { type: "button", class: "link", "aria-label": t("scope.forth"), onclick: () => turn(1) }, "›");
  const shownLanes = h("span", { class: "xs" });
  const pager = h("span", { class: "row xs mute" }, back, shownLanes, forth);
  const ageWord = h("b", { "data-name": "data-age" });
  const chip = h("span", { class: "agechip" }, t("scope.age"), ageWord);
  const inputs = h("button", { type: "button", class: "link inputs-light", "data-name": "inputs", onclick: () => ctx.toggleInputs && ctx.toggleInputs() });
  const drawInputs = whenChanged(([kind, word]) => inputs.replaceChildren(light(kind, word, false)));
  const canvas = h("canvas", { role: "img", "aria-label": t("scope.title") });
  const frozenHead = h("div", { class: "l semi" });
  const frozenMore = h("div", { class: "s sub" });
  const frozen = h("div", { class: "frozen" }, h("div", {}, frozenHead, frozenMore));
  const labels = h("div", { style: "display:contents" });
  const lanes = h("div", { class: "lanes" }, canvas, labels, frozen);
  const el = h("div", { class: "panel scope stretch" },
    h("div", { class: "hd" }, h("h2", {}, t("scope.title")), span, scale, h("span", { class: "xs mute o2" }, t("scope.view_only")), h("span", { class: "rt row" }, inputs, pager, chip)),
    lanes, h("div", { class: "taxis", "aria-hidden": "true" }, ["−10 s", "−8", "−6", "−4", "−2"].map((x) => h("span", {}, x)), h("span", {}, t("scope.now"), h("em", {}, t("scope.rms")))));

  const drawLabels = whenChanged((rows) => {
    lanes.style.gridTemplateRows = `repeat(${Math.max(1, rows.length)}, minmax(0, 1fr))`;
    labels.replaceChildren(...rows.map(([name, lamp, rms]) => h("div", { class: "lane" },
      h("span", { class: "nm", title: name }, light(lamp), name), h("span", { class: "v" }, rms))));
  });

  function laneScale() {
    if (scale.value) return Number(scale.value);
    const rms = ((status.quality || {}).channels || []).map((c) => c.rms_uv).filter(Number.isFinite).sort((a, b) => a - b);
    const typical = rms.length ? rms[Math.floor(rms.length / 2)] : 30;
    return STEPS.find((step) => step >= 5 * typical) || STEPS[STEPS.length - 1];
  }

  function paint() {
    queued = false;
    const box = canvas.getBoundingClientRect();
    if (box.width < 2 || box.height < 2) return;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(box.width * ratio), Math.round(box.height * ratio)];
    if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
    const g = canvas.getContext("2d");
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.clearRect(0, 0, box.width, box.height);
    const style = getComputedStyle(canvas);
    const colour = (name) => style.getPropertyValue(name).trim();
    const x = (seconds) => box.width * (1 + seconds / SECONDS);
    const vertical = (at, name, dash, thick) => {
      g.strokeStyle = colour(name);
      g.setLineDash(dash);
      g.lineWidth = thick;
      g.beginPath();
      g.moveTo(x(at), 0);
      g.lineTo(x(at), box.height);
      g.stroke();
    };
    for (let at = -SECONDS; at <= 0; at += 2) vertical(at, "--grid", [], 1);
    g.fillStyle = colour("--intent-soft");
    const bands = ctx.bands(SECONDS);
    for (const [from, to] of bands) g.fillRect(x(from), 0, x(to) - x(from), box.height);
    if (buffer.next !== null) {
      const names = visible();
      const lane = box.height / Math.max(1, names.length);
      g.strokeStyle = colour("--trace");
      g.setLineDash([]);
      g.lineWidth = 1;
      g.lineJoin = "round";
      const scale_ = lane / laneScale();
      names.forEach((index, i) => trace(g, buffer, buffer.rows[index],
        { width: Math.floor(box.width), height: lane, y: (i + 0.5) * lane, scale: scale_ }));
    }
    for (const [from, to, open] of bands) {
      if (from > -SECONDS) vertical(from, "--intent", [], 1.4);
      if (!open) vertical(to, "--intent", [4, 3], 1.4);
    }
    g.setLineDash([]);
  }

  function visible() {
    const count = buffer.names.length;
    const pages = Math.max(1, Math.ceil(count / LANES));
    page = Math.min(pages - 1, Math.max(0, page));
    const from = page * LANES;
    return Array.from({ length: Math.min(LANES, count - from) }, (_, i) => from + i);
  }

  function draw() {
    const indices = visible();
    const quality = new Map(((status.quality || {}).channels || []).map((c) => [c.name, c]));
    const lost = ctx.signalLost();
    drawLabels(indices.map((i) => {
      const c = quality.get(buffer.names[i]);
      return [buffer.names[i], lost ? "off" : (c && LAMP[c.state]) || "off",
        lost || !c || !Number.isFinite(c.rms_uv) ? "—" : t("unit.uv", { n: fixed(c.rms_uv, c.rms_uv < 10 ? 1 : 0) })];
    }));
    show(pager, buffer.names.length > LANES);
    put(shownLanes, t("scope.page", { from: page * LANES + 1, to: page * LANES + indices.length, n: buffer.names.length }));
    put(span, t("scope.lane", { n: laneScale() }));
    if (!queued) {
      queued = true;
      requestAnimationFrame(paint);
    }
  }

  scale.addEventListener("change", draw);
  return {
    el,
    update(s) {
      status = s;
      const streams = s.streams || [];
      // The channels of the signal are counted by themselves; of another stream that is decoded its one light counts.
      const own = (one) => (one.role === "signal" ? "good" : one.quality || "good");
      const good = streams.filter((one) => one.state === "good" && own(one) === "good").length;
      const any = (state) => (status.quality || {}).state === state || streams.some((one) => own(one) === state);
      const worst = streams.some((one) => ["lost", "missing"].includes(one.state)) || any("bad") ? "high"
        : any("check") || streams.some((one) => one.state === "check") ? "medium" : streams.length ? "ok" : "off";
      const channels = (status.quality || {}).channels || [];
      drawInputs([worst, t("scope.inputs", { good, all: streams.length, channels: channels.filter((c) => c.state === "good").length, n: channels.length })]);
      draw();
    },
    draw,
    tick() {
      const seconds = buffer.ageNow();
      const lost = ctx.signalLost() && buffer.next !== null;
      const stale = lost || (seconds !== null && seconds > STALE_S);
      put(ageWord, age(t, seconds));
      classIf(chip, "high", stale);
      show(frozen, stale || buffer.next === null);
      classIf(frozen, "calm", buffer.next === null);
      frozenHead.style.color = buffer.next === null ? "" : "var(--high-ink)";
      put(frozenHead, buffer.next === null ? t("scope.empty") : t("scope.no_data", { stream: ctx.signalName(), age: age(t, seconds) }));
      put(frozenMore, buffer.next === null ? t("scope.empty_more")
        : t("scope.frozen", { clock: new Date(Date.now() - 1000 * (seconds || 0)).toLocaleTimeString("en-GB") }));
    },
  };
}
