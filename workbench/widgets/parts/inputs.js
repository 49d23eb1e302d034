// Left column: the stream contract and the electrodes. A lost stream greys what hangs on it; only the stream is red.
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
  function waiver(one) {
    const reason = h("input", { class: "field", placeholder: t("streams.waive_reason"), "aria-label": t("streams.waive_reason") });
    const send = button(t("streams.waive"), () => ctx.ask("waive", { stream: one.name, reason: reason.value }));
    send.disabled = true;
    reason.addEventListener("input", () => { send.disabled = reason.value.trim() === ""; });
    return h("div", { class: "waive" }, reason, send);
  }
  const draw = whenChanged((streams) => {
    list.replaceChildren(...(streams.length ? streams.map((one) => h("div", { class: "st", "data-state": one.state },
      h("span", { class: "n", title: one.name }, one.name), light(STREAM[one.state] || "off", t(`stream.${one.state}`, {}, one.state)),
      h("span", { class: "d" }, detail(one)),
      one.message && one.state !== "waived" && one.state !== "good" ? h("span", { class: "d bad" }, t.said(one.message)) : null,
      !one.critical && ["lost", "missing"].includes(one.state) ? waiver(one) : null))
      : [h("div", { class: "empty" }, t("streams.empty"))]));
  });
  return {
    el,
    update(s) {
      const running = s.run && ["compiling", "running", "paused"].includes(s.run.state);
      show(again, !running && (s.streams || []).some((one) => ["lost", "missing"].includes(one.state)));
      draw((s.streams || []).map(({ name, n_channels, fs, measured_fs, critical, state, message }) => (
        { name, n_channels, fs, measured_fs: measured_fs ? Number(measured_fs.toFixed(1)) : null, critical, state, message })));
    },
  };
}

function word(t, channel) {
  const key = `quality.${channel.code}`;
  return channel.code && channel.code !== "good" && knows(key) ? t(key) : t(`quality.state.${channel.state}`);
}

export function electrodesPanel(ctx) {
  const { t } = ctx;
  const kind = h("span", { class: "rt" });
  const cards = h("div", { class: "strip" });
  const more = h("div", { class: "xs mute", style: "margin-top:6px" });
  const head = h("div", { class: "med s" });
  const advice = h("div", { class: "xs sub" });
  const worst = h("div", { class: "worst" }, head, advice);
  const montage = h("div", { class: "mont" });
  const empty = h("div", { class: "empty" }, t("electrodes.empty"));
  const el = h("div", { class: "panel electrodes stretch" }, h("div", { class: "hd" }, h("h2", {}, t("electrodes.title")), kind),
    h("div", { class: "bd", tabindex: "0" }, empty, cards, more, worst), montage);

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
      if (lost) drawMontage(["high", t("montage.lost")]);
      else if (!channels.length) drawMontage(["off", t("montage.unknown")]);
      else drawMontage([QUALITY[quality.state] || "off", t(`montage.${quality.state}`)]);
    },
  };
}
