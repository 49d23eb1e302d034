// Left column: the stream contract and the electrodes. A lost stream is red; everything that depends on it turns grey.
import { button, fixed, h, knows, named, put, show, whenChanged } from "./dom.js";
import { light } from "./icons.js";

const STREAM = { good: "ok", check: "medium", lost: "high", missing: "high", waived: "off" };
const QUALITY = { good: "ok", check: "medium", bad: "high" };
const CARDS = 16;

export function streamsPanel(ctx) {
  const { t } = ctx;
  const list = h("div");
  const again = h("button", { type: "button", class: "link", onclick: () => ctx.ask("reconnect") }, t("streams.reconnect"));
  const el = h("div", { class: "panel streams" }, h("div", { class: "hd" }, h("h2", {}, t("streams.title")), h("span", { class: "rt" }, again)), h("div", { class: "bd", tabindex: "0" }, list));
  const detail = (one) => {
    if (one.state === "waived") return one.message || "";
    const parts = [];
    if (one.n_channels) parts.push(t("streams.channels", { n: one.n_channels }));
    if (one.fs) parts.push(t("streams.rate", { measured: one.measured_fs ? fixed(one.measured_fs, one.measured_fs < 1000 ? 2 : 1) : "—", fs: one.fs }));
    parts.push(t(one.critical ? "streams.critical" : "streams.optional"));
    return parts.join(" · ");
  };
  function waiver(name) {
    const reason = h("input", { class: "field", placeholder: t("streams.waive_reason"), "aria-label": `${name}: ${t("streams.waive_reason")}` });
    const send = button(t("streams.waive"), () => ctx.ask("waive", { stream: name, reason: reason.value }), { name: "waive" });
    send.disabled = true;
    reason.addEventListener("input", () => { send.disabled = reason.value.trim() === ""; });
    return h("div", { class: "waive" }, reason, send);
  }
  /** One stream. It is built once and then updated in place, so that a reason can be typed while ages count. */
  function row(name) {
    const lamp = h("span");
    const signal = h("span", { class: "d q" });
    const below = h("span", { class: "d" });
    const problem = h("span", { class: "d bad" });
    const waive = waiver(name);
    const line = h("div", { class: "st" }, h("span", { class: "n", title: name }, name), lamp, below, signal, problem, waive);
    const drawSignal = whenChanged(([quality]) => signal.replaceChildren(light(QUALITY[quality] || "off", t(`evidence.quality.${quality}`), false)));
    const drawLamp = whenChanged(([state]) => {
      line.dataset.state = state;
      lamp.replaceChildren(light(STREAM[state] || "off", t(`stream.${state}`, {}, state)));
    });
    return {
      line,
      update(one) {
        drawLamp([one.state]);
        put(below, detail(one));
        // A stream that is lost has one light; what its signal was last would be a second alarm for one cause.
        const known = Boolean(QUALITY[one.quality]) && one.state === "good";
        show(signal, known);
        if (known) drawSignal([one.quality]);
        put(problem, t.said(one, "message"));
        show(problem, Boolean(one.message) && !["waived", "good"].includes(one.state));
        show(waive, !one.critical && ["lost", "missing"].includes(one.state));
      },
    };
  }
  const empty = h("div", { class: "empty" }, t("streams.empty"));
  let rows = [];
  const draw = whenChanged((names) => {
    rows = names.map(row);
    list.replaceChildren(...(rows.length ? rows.map((one) => one.line) : [empty]));
  });
  return {
    el,
    update(s) {
      const streams = s.streams || [];
      show(again, !ctx.goes() && streams.some((one) => ["lost", "missing"].includes(one.state)));
      draw(streams.map((one) => one.name));
      streams.forEach((one, i) => rows[i].update(one));
    },
  };
}

function word(t, channel) {
  const key = `quality.${channel.code}`;
  return channel.code && channel.code !== "good" && knows(key) ? t(key) : t(`quality.state.${channel.state}`);
}

const TREND_S = 300;
const TREND_STEP_S = 2;
const TREND_ROWS = 8;

/** Noise of each channel over the last minutes, as this page received it; a lost stream leaves a hole, however short. */
function noteNoise(store, channels, lost) {
  const at = performance.now() / 1000;
  const last = store.noise[store.noise.length - 1];
  if (!channels.length || (last && last.lost === lost && at - last.at < TREND_STEP_S)) return;
  store.noise.push({ at, lost, rms: lost ? {} : Object.fromEntries(channels.map((c) => [c.name, c.rms_uv])) });
  store.noise = store.noise.filter((one) => at - one.at <= TREND_S);
}

/** Small lines on one scale, one per channel; the worst first where there are more than fit. */
function trendRows(t, noise, names) {
  const [from, to] = [noise[0].at, noise[noise.length - 1].at];
  const values = (name) => noise.map((one) => one.rms[name]).filter(Number.isFinite);
  const most = Math.max(1, ...names.flatMap(values));
  const digits = (v) => fixed(v, v < 10 ? 1 : 0);
  const rows = names.map((name) => {
    const own = values(name);
    const parts = [];
    let line = [];
    for (const one of [...noise, { at: to, rms: {} }]) {
      if (Number.isFinite(one.rms[name])) line.push(`${((100 * (one.at - from)) / Math.max(1, to - from)).toFixed(1)},${(20 - (19 * one.rms[name]) / most).toFixed(1)}`);
      else if (line.length) { parts.push(`<polyline points="${line.join(" ")}"/>`); line = []; }
    }
    const label = own.length ? t("electrodes.trend_label", { name, now: digits(own[own.length - 1]), low: digits(Math.min(...own)), high: digits(Math.max(...own)), s: Math.round(to - from) }) : name;
    return h("div", { class: "trendrow" }, h("span", { class: "xs" }, name), h("span", { class: "spark", role: "img", "aria-label": label, html: `<svg viewBox="0 0 100 20" preserveAspectRatio="none" aria-hidden="true">${parts.join("")}</svg>` }), h("span", { class: "xs sub" }, own.length ? t("unit.uv", { n: digits(own[own.length - 1]) }) : "—"));
  });
  return [...rows, h("div", { class: "xs mute" }, t("electrodes.trend_scale", { high: digits(most) }))];
}

export function electrodesPanel(ctx) {
  const { t } = ctx;
  const trend = h("div", { class: "trend" });
  const kind = h("span", { class: "rt" });
  const cards = h("div", { class: "strip" });
  const more = h("div", { class: "xs mute", style: "margin-top:6px" });
  const head = h("div", { class: "med s" });
  const advice = h("div", { class: "xs sub" });
  const worst = h("div", { class: "worst" }, head, advice);
  const montage = h("div", { class: "mont" });
  const empty = h("div", { class: "empty" }, t("electrodes.empty"));
  const el = h("div", { class: "panel electrodes stretch" }, h("div", { class: "hd" }, h("h2", {}, t("electrodes.title")), kind),
    h("div", { class: "bd", tabindex: "0" }, empty, cards, more, worst, trend), montage);
  const drawTrend = whenChanged((_at, channels) => {
    const names = (channels.length > TREND_ROWS ? [...channels].sort((a, b) => b.rms_uv - a.rms_uv).slice(0, TREND_ROWS) : channels).map((c) => c.name);
    const enough = ctx.store.noise.length > 1;
    show(trend, enough);
    if (enough) trend.replaceChildren(h("div", { class: "med s" }, t("electrodes.trend")), ...trendRows(t, ctx.store.noise, names));
  });

  const draw = whenChanged(([channels, lost]) => {
    const ordered = channels.length <= CARDS ? channels
      : [...channels.filter((c) => c.state !== "good"), ...channels.filter((c) => c.state === "good")];
    cards.replaceChildren(...ordered.slice(0, CARDS).map((c) => {
      const state = lost ? "off" : QUALITY[c.state] || "off";
      return h("div", { class: `el ${state}`, title: c.name },
        h("div", { class: "r1" }, h("span", {}, c.name), light(state)),
        h("div", { class: "w" }, lost ? t("quality.lost") : t(`quality.state.${c.state}`)),
        h("div", { class: "z" }, lost ? "—" : t("unit.uv", { n: c.rms })));
    }));
    show(more, channels.length > CARDS);
    put(more, t("electrodes.more", { n: channels.length - CARDS, good: channels.filter((c) => c.state === "good").length, all: channels.length }));
    const order = ["bad", "check"];
    const found = lost ? [] : channels.filter((c) => c.state !== "good").sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state));
    show(worst, found.length > 0);
    if (found.length) {
      const first = found[0];
      put(head, t("electrodes.worst", { names: found.filter((c) => c.code === first.code).map((c) => c.name).join(", "), word: word(t, first) }));
      put(advice, t(`quality.${first.code}.do`, {}, ""));
    }
  });
  const drawMontage = whenChanged(([state, word_]) => montage.replaceChildren(light(state, word_)));
  return {
    el,
    update(s) {
      const quality = s.quality || { channels: [] };
      const signal = (s.streams || []).find((one) => one.role === "signal");
      const lost = ctx.signalLost();
      const channels = quality.channels || [];
      put(kind, signal ? t("electrodes.kind", { n: signal.n_channels, type: named(t, "type", signal.type) }) : "");
      show(empty, channels.length === 0);
      draw([channels.map((c) => ({ name: c.name, state: c.state, code: c.code, rms: fixed(c.rms_uv, c.rms_uv < 10 ? 1 : 0) })), lost]);
      noteNoise(ctx.store, channels, lost);
      const last = ctx.store.noise[ctx.store.noise.length - 1];
      drawTrend([last ? last.at : 0, channels.length], channels);
      if (lost) drawMontage(["high", t("montage.lost")]);
      else if (!channels.length) drawMontage(["off", t("montage.unknown")]);
      else drawMontage([QUALITY[quality.state] || "off", t(`montage.${quality.state}`)]);
    },
  };
}
