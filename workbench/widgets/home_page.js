// Use at home: one thing at a time, STOP always in its place, every act by hand or by one switch.
import { followLanguage, followTheme, h, languageSwitch, put, request, show, whenChanged, classIf } from "./parts/dom.js";
import { GLYPH, STOPSIGN } from "./parts/icons.js";
import { signInSheet } from "./parts/signin.js";

const stroke = (width, inside) => `<svg viewBox="0 0 36 36" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="${width}" stroke-linecap="round" stroke-linejoin="round">${inside}</svg>`;
const GLOVE_OFF_MARK = stroke(2.8, '<path d="M12 31V15M12 20V8a3 3 0 0 1 6 0v9M18 16V6.500a3 3 0 0 1 6 0V18M24 18v-7a3 3 0 0 1 6 0v11c0 6-4 9-8 9H12"/><path d="M7 12v14M3.500 22.500L7 26l3.500-3.500"/>');
const SWITCH_MARK = stroke(2.6, '<path d="M4 27h28v4H4z"/><ellipse cx="18" cy="22" rx="10" ry="5"/><path d="M18 4v9M14 9.500l4 4 4-4"/>');
const PHONE_MARK = '<svg viewBox="0 0 44 44" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="3.2" stroke-linejoin="round"><path d="M13 5l6 9-4 5c2 5 5 8 10 10l5-4 9 6c0 5-3 8-7 8C18 39 5 26 5 12c0-4 3-7 8-7z"/></svg>';
const ACT_PICTURES = {
  connect: stroke(2.8, '<path d="M6 18a12 12 0 0 1 24 0M11 18a7 7 0 0 1 14 0"/><circle cx="18" cy="18" r="2.5" fill="currentColor"/><path d="M18 21v9"/>'),
  skin_checked: stroke(2.8, '<path d="M3 18c4-7 9-10 15-10s11 3 15 10c-4 7-9 10-15 10S7 25 3 18z"/><circle cx="18" cy="18" r="5"/>'),
  start: '<svg viewBox="0 0 60 60" aria-hidden="true"><path d="M16 9l34 21-34 21z" fill="currentColor"/></svg>',
  finish: stroke(3, '<path d="M7 19l8 8L30 9"/>'),
  practise: stroke(2.8, '<path d="M30 18a12 12 0 1 1-4-9"/><path d="M31 3v8h-8"/>'),
  glove_off: GLOVE_OFF_MARK,
  repeat: stroke(2.8, '<path d="M5 14v8h6l7 6V8l-7 6zM24 13c3 3 3 7 0 10M28 9c5 5 5 13 0 18"/>'),
  language: stroke(2.6, '<circle cx="18" cy="18" r="14"/><path d="M4 18h28M18 4c9 8 9 20 0 28M18 4c-9 8-9 20 0 28"/>'),
};
const FINE_MARK = '<svg viewBox="0 0 16 16" aria-hidden="true"><circle cx="8" cy="8" r="7" fill="currentColor"/><path d="M4.600 8.300l2.300 2.300 4.500-4.900" fill="none" stroke="var(--surface)" stroke-width="1.9" stroke-linecap="round" stroke-linejoin="round"/></svg>';
const OPEN_MARK = '<svg viewBox="0 0 16 16" aria-hidden="true"><circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.6" stroke-dasharray="2.600 2.100"/></svg>';
const CLOCK_FACE = '<svg viewBox="0 0 30 30" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2.8" stroke-linecap="round"><circle cx="15" cy="15" r="12"/><path d="M15 8v7l5 3"/></svg>';
const ALARM_SIGN = '<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M4.900 .8h6.200l4.100 4.100v6.200l-4.100 4.100H4.900L.8 11.100V4.900z" fill="currentColor"/><path d="M8 4v5M8 11v1.200" stroke="var(--high)" stroke-width="1.9" stroke-linecap="round"/></svg>';
const CLOSED_HAND = '<svg viewBox="0 0 92 92" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="4" stroke-linejoin="round" stroke-linecap="round"><path d="M17 44v12c0 15 10 24 23 24h14c13 0 22-9 22-23V44"/><rect x="17" y="21" width="14.6" height="30" rx="7.3"/><rect x="31.6" y="15" width="14.6" height="34" rx="7.3"/><rect x="46.2" y="15" width="14.6" height="34" rx="7.3"/><rect x="60.8" y="20" width="15" height="31" rx="7.3"/><path d="M15 58c0-8 5-13 13-13h24c5.500 0 8.500 3.600 8.500 7.600s-3 7.600-8.500 7.600H42" fill="var(--hand)"/></svg>';
const HOME_STEPS = ["connect", "ready", "use", "finish"];
const STEP_OF = { connect: 0, check: 1, ready: 1, practise: 1, use: 2, over: 3, off: 3, done: 4 };
const SWITCH_KEYS = [" ", "Enter"]; // what switches that are plugged in as a keyboard send
const HELP_STEPS = { silent: 3, fault: 3, lost: 3, signal: 2, stop: 2 };

/** What is lit, as one text: an act, or a place of the second look. */
const litOf = (scan) => (scan.state === "asking_again" ? `${scan.places[scan.at] || ""}#${scan.at}` : scan.lit.join(" "));

function build(root, model, page, t) {
  const view = () => model.get("view");
  const ask = async (name, args = {}) => {
    const reply = await request(model, name, args);
    if (!reply.ok && reply.text) put(said, t.said(reply, "text"));
  };
  const act = (name) => t(`home.act.${name}`);
  // A line of the protocol, such as whom to call, which no catalogue can hold.
  const own = (line) => line[model.get("language")] ?? line.en;
  const said = h("p", { class: "say bad", role: "alert", "data-name": "home-said" });
  const big = (name, kind = "") => h("button", { type: "button", class: `bb ${kind}`, "data-act": name, "data-name": `act-${name}`, onclick: () => ask("touch", { act: name }) },
    ACT_PICTURES[name] ? h("span", { html: ACT_PICTURES[name] }) : null, act(name));
  const main = h("div", { class: "lft" });
  const side = h("div", { class: "side" });
  const top = h("header", { class: "top" });
  const hint = h("div", { class: "hint" }, h("span", { html: SWITCH_MARK }), h("span", { "data-name": "home-hint" }));
  const call = h("button", { type: "button", class: "bb call", "data-act": "help", "data-name": "act-help", onclick: () => ask("touch", { act: "help" }) }, h("span", { html: PHONE_MARK }), h("span", {}, h("b", {}, act("help")), h("small", { "data-name": "home-call" })));
  const stopSays = h("small", { "data-name": "home-stop-says" });
  const stop = h("button", { type: "button", class: "halt", "data-name": "home-stop", onclick: () => ask("stop") }, h("span", { html: STOPSIGN }), h("span", {}, h("b", {}, t("stop.word")), stopSays));
  const live = h("div", { class: "hidden-label", "aria-live": "polite" });
  const sheet = signInSheet({ model, t });
  root.replaceChildren(top, h("main", { class: "mid" }, main, side), h("footer", { class: "foot" }, call, stop), live, sheet.el);

  function head() {
    const { problem, clock, weekday, hour, simulated, signs, signed_in: signedIn, made_at_home: madeAtHome } = view();
    const part = hour < 11 ? "morning" : hour < 18 ? "day" : "evening";
    const words = problem ? [h("span", { html: ALARM_SIGN }), h("h1", {}, t(`home.problem.${problem}`))]
      : [h("span", { html: GLYPH }), h("div", {}, h("b", {}, t(`home.good.${part}`)), " ", h("span", { class: "sub" }, t("home.when", { day: t(`home.weekday.${weekday}`), clock })))];
    classIf(top, "alarm", problem);
    top.replaceChildren(...words, simulated ? h("span", { class: "chip" }, t("home.simulated")) : "", signedIn ? h("span", { class: "chip", "data-name": "signed-in" }, t("home.signed_in")) : "",
      signs ? h("button", { type: "button", class: "bb enter", "data-name": "open-sign-in", onclick: () => sheet.open() }, t("sign.in")) : "",
      madeAtHome ? h("button", { type: "button", class: "bb enter", "data-name": "home-back", onclick: () => ask("back_to_site") }, t("home.back")) : "", languageSwitch(model, t));
  }
  const steps = (screen, busy) => {
    const now = STEP_OF[screen] ?? { connect: 0, skin_checked: 1, start: 1, practise: 1, learn: 1, finish: 3 }[busy] ?? 3;
    return h("ol", { class: "flow" }, HOME_STEPS.map((name, i) => h("li", { class: i < now ? "past" : i === now ? "now" : "", "aria-current": i === now ? "step" : undefined },
      i < now ? h("span", { html: FINE_MARK }) : h("i", {}, i + 1), t(`home.step.${name}`))));
  };
  const title = (key, args) => [h("h1", { class: "big", "data-name": "home-title" }, t(`home.title.${key}`, args)), h("p", { class: "say" }, t(`home.text.${key}`, args))];

  function again() {
    const { scan } = view();
    return [...title("again"), h("div", { class: "places" }, scan.places.map((name, i) => h("div", { class: `bb ${name ? "pri" : ""}`, "data-place": i, "data-name": name ? "again-yes" : "again-no" }, t(name ? "home.scan.start" : "home.scan.no"))))];
  }
  function problem() {
    const { problem: what, rule } = view();
    const texts = Array.from({ length: HELP_STEPS[what] }, (_, i) => (i === 0 && HELP_STEPS[what] === 3 ? own(rule.release) : t(`home.do.${what}.${i + 1}`)));
    const mayReset = rule.reset.includes("caregiver");
    return [h("h2", { class: "big", "data-name": "home-title" }, t(`home.first.${what}`)), h("ol", { class: "todo" }, texts.map((one, i) => h("li", {}, h("i", {}, i + 1), one))),
      mayReset ? h("button", { type: "button", class: "bb", "data-name": "home-reset", onclick: () => ask("reset") }, t("home.reset")) : h("p", { class: "say" }, t("home.reset_site"))];
  }
  function moving() {
    const { hand } = view();
    return h("div", { class: "using", role: "status" }, h("span", { html: CLOSED_HAND }), h("h1", { class: "big", "data-name": "home-title" }, t(`home.hand.${hand}`)), h("p", {}, t("home.text.moves")));
  }
  function practising() {
    const { cue } = view().practice;
    const word = cue ? t(`cue.${cue}`, {}, cue) : t("home.practice.get_ready");
    return h("div", { class: cue && cue !== "rest" ? "using cued" : "using resting", role: "status" }, h("h1", { class: "big", "data-name": "home-title" }, word), h("p", { "data-name": "home-left" }), h("p", { class: "say" }, t("home.text.practise")));
  }
  function body() {
    const { screen, acts, busy, scan, missing, use, moves, learned } = view();
    if (screen === "stopped") return problem();
    const flow = steps(screen, busy);
    if (moves) return [flow, moving()];
    if (scan.state === "asking_again") return [flow, ...again()];
    const others = acts.filter((name, i) => i && name !== "help").map((name) => big(name));
    if (screen === "practise") return [flow, practising(), h("div", { class: "others last" }, big(acts[0], "pri"), others)];
    const first = acts[0] === "help" ? null : big(acts[0], "pri huge");
    const here = missing.includes("caregiver") ? h("button", { type: "button", class: "bb here", "data-name": "home-attend", onclick: () => ask("attend") }, t("home.attend")) : null;
    const key = screen === "busy" ? `busy.${busy}` : screen;
    const [head_, usual] = title(key, { n: use.day_min });
    const outcome = learned.text ? h("p", { class: learned.better ? "say fine" : "say", role: "status", "data-name": "home-learned" }, t.said(learned, "text")) : null;
    // On a glove that is ready there is room for one of them; the question about the skin stands.
    const told = screen === "ready" && outcome ? [outcome] : [usual, outcome];
    const wait = learned.wait && screen === "ready" && !here ? h("p", { class: "say", "data-name": "home-wait" }, t("home.practice.wait")) : null;
    return [flow, h("div", {}, head_, ...told, wait), here, first, others.length ? h("div", { class: "others" }, others) : null];
  }
  const card = (fine, head_, ...more) => h("div", { class: "card" }, h("span", { class: fine === true ? "ok" : fine === "clock" ? "clock" : "off", html: fine === true ? FINE_MARK : fine === "clock" ? CLOCK_FACE : OPEN_MARK }), h("div", {}, h("b", {}, head_), ...more));
  function cards() {
    const { answers_s, signal, use, skin, hand } = view();
    const glove = answers_s === null || answers_s === undefined ? "none" : answers_s > 0.5 ? "silent" : "answers";
    const share = Math.min(100, Math.round((100 * use.today_min) / use.day_min));
    return [card(glove === "answers", t(`home.card.glove.${glove}`), h("small", {}, glove === "answers" ? t(`home.hand.${hand}`) : "")),
      card(signal === "good", t(`home.card.signal.${signal}`), h("small", {}, signal === "check" ? t("home.card.signal.do") : "")),
      card("clock", t("home.card.today", { n: use.today_min, all: use.day_min }), h("div", { class: "thin" }, h("i", { style: `width:${share}%` })), h("small", { "data-name": "home-use" }, t("home.card.use", { days: use.days, hours: use.hours, faults: use.faults, implant: use.implant_days }))),
      card(Boolean(skin.at), skin.at ? t("home.card.skin", { clock: skin.at }) : t("home.card.skin_none"), h("small", {}, skin.at && skin.in_min !== null ? t("home.card.skin_next", { n: skin.in_min }) : ""))];
  }
  function told() {
    const { hand, stop: said_, rule, help } = view();
    const confirmed = said_.confirmed || hand === "open";
    return h("section", { class: "panel" }, h("h2", {}, t("home.untold")), h("p", {}, t("home.call_now", { call: own(rule.call) })),
      h("p", {}, h("b", {}, t("home.happened")), " ", t(confirmed ? "home.says_open" : "home.cannot_see")), help ? h("p", {}, t("home.called_at", { clock: help })) : null,
      h("div", { class: "hurt" }, h("b", {}, t("home.hurt")), h("br"), t("home.emergency", { n: rule.emergency })));
  }
  const drawHead = whenChanged(() => head());
  const drawMain = whenChanged(() => main.replaceChildren(...body().filter(Boolean), said, hint));
  const drawSide = whenChanged(() => { const stopped = view().screen === "stopped"; side.className = stopped ? "side" : "side cards"; side.replaceChildren(...(stopped ? [told()] : cards())); });

  /** The frame: on what is lit, and on STOP while the glove moves. */
  function frame() {
    const { scan, moves, rule, help } = view();
    const second = scan.state === "asking_again";
    for (const one of root.querySelectorAll("[data-act], [data-place]")) {
      const lit = second ? Number(one.dataset.place) === scan.at : scan.lit.includes(one.dataset.act);
      const taken = scan.state === "taking" && one.dataset.act === scan.taking;
      classIf(one, "scan", lit);
      classIf(one, "taken", taken);
      const label = taken ? t("home.scan.taking") : t("home.scan.now", { what: second ? one.textContent : act(one.dataset.act) });
      if (lit || taken) one.dataset.scan = label;
    }
    classIf(stop, "scan", moves);
    put(root.querySelector("[data-name=home-hint]"), t(moves ? "home.hint.moves" : view().screen === "stopped" ? "home.hint.stopped" : "home.hint.scan", { n: scan.dwell_s }));
    put(root.querySelector("[data-name=home-call]"), help ? t("home.called_at", { clock: help }) : own(rule.call));
    root.dataset.scan = scan.state;
    root.dataset.lit = litOf(scan);
    root.dataset.taking = scan.taking;
    root.dataset.screen = view().screen;
    const { left, all, left_s: leftS } = view().practice;
    const leftWords = root.querySelector("[data-name=home-left]");
    if (leftWords) put(leftWords, t("home.practice.left", { n: left, all, min: Math.max(1, Math.ceil((leftS || 0) / 60)) }));
    put(live, scan.lit.length === 1 && scan.lit[0] ? act(scan.lit[0]) : "");
  }
  function halt() {
    const { stop: said_ } = view();
    const sent = said_.asked_age_s !== null && said_.asked_age_s !== undefined;
    put(stopSays, !sent ? t("home.stop.opens") : t(said_.confirmed ? "home.stop.confirmed" : "home.stop.unconfirmed"));
  }
  let heard = view().again;
  const refresh = () => {
    const now = view();
    const stable = [now.screen, now.acts, now.busy, now.scan.state === "asking_again" && now.scan.places, now.missing, now.moves, now.problem, now.moves && now.hand, now.practice.cue, now.learned];
    drawHead([now.problem, now.clock, now.simulated, now.signs, now.signed_in, now.made_at_home]);
    if (!now.signs && !sheet.el.hidden) sheet.close();
    drawMain(stable);
    drawSide([now.screen, now.answers_s > 0.5, now.answers_s === null, now.hand, now.signal, now.use, now.skin, now.stop.confirmed, now.help]);
    if (now.refusal) put(said, t.said(now, "refusal"));
    show(said, now.refusal || said.textContent);
    frame();
    halt();
    if (now.again !== heard) {
      heard = now.again;
      speak(root.lang, [...main.querySelectorAll("h1, .say")].map((one) => one.textContent).join(" "));
    }
  };
  const clear = whenChanged(() => put(said, ""));
  const changed = () => { clear([view().screen, view().busy]); refresh(); answer(); };
  // Only a visible page answers, and each challenge of the engine once.
  const present = (visible) => model.send({ name: "presence", args: { page, challenge: view().challenge, visible }, id: "presence" });
  const answer = whenAsked(() => view().challenge, () => { if (document.visibilityState === "visible") present(true); });
  const hidden = () => { if (document.visibilityState !== "visible") present(false); else if (view().challenge) present(true); };
  const stopSwitch = oneSwitch(model, root, () => ask("stop"));
  model.on("change:view", changed);
  document.addEventListener("visibilitychange", hidden);
  refresh();
  answer();
  return () => {
    stopSwitch();
    model.off("change:view", changed);
    document.removeEventListener("visibilitychange", hidden);
  };
}

/** Runs `act` when a text that is asked for has changed and is not empty. */
function whenAsked(text, act) {
  let last = "";
  return () => {
    if (!text() || text() === last) return;
    last = text();
    act();
  };
}

/** The switch as a key, and Escape as STOP. No key presses a button: what is pressed by hand is touched. */
function oneSwitch(model, root, stop) {
  const send = (name) => model.send({ name, args: {}, id: name });
  // A password may hold a space. The sheet is open only while there is no session, and so nothing to stop.
  const typing = (event) => model.get("view").signs && Boolean(event.target.closest?.(".sign"));
  const down = (event) => {
    if (!root.isConnected) return;
    if (event.key === "Escape" && !event.repeat) stop();
    if (!SWITCH_KEYS.includes(event.key) || typing(event)) return;
    event.preventDefault();
    event.stopPropagation();
    if (!event.repeat) send("press");
  };
  const up = (event) => {
    if (!SWITCH_KEYS.includes(event.key) || typing(event)) return;
    event.preventDefault(); // else a button that has the focus would be clicked
    event.stopPropagation();
    send("release");
  };
  document.addEventListener("keydown", down, true);
  document.addEventListener("keyup", up, true);
  return () => {
    document.removeEventListener("keydown", down, true);
    document.removeEventListener("keyup", up, true);
  };
}

function speak(language, words) {
  if (!window.speechSynthesis) return;
  const one = new SpeechSynthesisUtterance(words);
  one.lang = language;
  window.speechSynthesis.cancel();
  window.speechSynthesis.speak(one);
}

function render({ model, el }) {
  const root = h("div", { class: "wb wb-panel wb-home" });
  el.append(root);
  const page = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const stopTheme = followTheme(root, model);
  const stopLanguage = followLanguage(root, model, (host, t) => build(host, model, page, t));
  return () => {
    stopTheme();
    stopLanguage();
  };
}

export default { render };
