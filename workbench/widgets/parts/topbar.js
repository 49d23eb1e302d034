// Who, where, whether it is simulated, where to go, who is signed in, and the end of the session.
// The simulated badges have no switch, and the identity stays in its frame on every view.
import { age, button, classIf, confirmation, h, languageSwitch, put, show, whenChanged } from "./dom.js";
import { GLYPH, SIMULATED, light } from "./icons.js";
import { signInSheet } from "./signin.js";

function engineLight(ctx) {
  const state = (ctx.status().engine || {}).state || "running";
  return [{ failed: "high", stopping: "off", starting: "off", compiling: "off", connecting: "off" }[state] || "ok", ctx.t(`engine.${state}`, {}, state)];
}

/** The framed identity: participant first, then study, visit and session on one small line. */
function identity(ctx) {
  const { t } = ctx;
  const name = h("b", { "data-name": "participant" });
  const proof = h("span", { class: "proof" });
  const crumbs = h("div", { class: "crumbs", "data-name": "where" });
  const el = h("div", { class: "identity", role: "group", "aria-label": t("bar.where") }, h("div", { class: "who" }, name, proof), crumbs);
  const drawProof = whenChanged(([state, word]) => proof.replaceChildren(...(word ? [light(state, word, false)] : [])));
  const drawCrumbs = whenChanged((names) => {
    crumbs.replaceChildren(...names.flatMap((one, i) => [i ? h("i", { "aria-hidden": "true" }, "·") : null, h("span", { title: one }, one)]).filter(Boolean));
  });
  return {
    el,
    update(s) {
      const session = s.session || {};
      const place = ctx.place();
      const person = session.participant || place.participant;
      const inSession = Boolean(session.participant);
      show(el, Boolean(person || session.study || place.study));
      put(name, person || t("bar.nobody"));
      classIf(el, "open", !inSession);
      const same = !inSession || !place.participant || place.participant === session.participant;
      const confirmed = same && place.confirmed;
      drawProof(!person ? ["", ""] : confirmed ? ["ok", t("bar.confirmed", { clock: place.confirmed })] : inSession ? ["", ""] : ["off", t("bar.not_confirmed")]);
      drawCrumbs([session.study || place.study, session.visit || place.visit, session.session].filter(Boolean).map(String));
    },
  };
}

/** The views of a page; one is shown at a time, and STOP and identity stay. Absent in a notebook. */
function navigation(ctx) {
  const { t } = ctx;
  const el = h("nav", { class: "views", "aria-label": t("bar.views") });
  const draw = whenChanged(([views, now, badges]) => {
    show(el, views.length > 0);
    el.replaceChildren(...views.map((name) => h("button", {
      type: "button", class: name === now ? "on" : "", "data-name": `view-${name}`, "aria-current": name === now ? "page" : undefined,
      onclick: () => ctx.ask("show", { view: name }),
    }, t(`view.${name}`), badges[name] ? h("span", { class: "badge" }, h("span", { class: "hidden-label" }, t("view.waiting", { n: badges[name] })), h("span", { "aria-hidden": "true" }, badges[name])) : null)));
  });
  return { el, update: () => draw([ctx.place().views || [], ctx.place().view || "", ctx.place().badges || {}]) };
}

function endSession(ctx, host) {
  const { t } = ctx;
  const question = confirmation(host);
  const el = button("", () => question.open({
    title: t("session.end_question", { session: (ctx.status().session || {}).session || "" }), text: t("session.end_keeps"),
    no: t("session.keep"), yes: t("session.end_now"), name: "end-session-now", act: () => ctx.ask("end_session", {}, 300),
  }), { kind: "over", name: "end-session" });
  const why = h("small");
  el.append(h("span", {}, t("session.end")), why);
  return {
    el,
    update() {
      const live = ctx.link().state === "live";
      show(el, live);
      el.disabled = ctx.goes();
      put(why, el.disabled ? t("session.run_first") : "");
      show(why, el.disabled);
      if (!live || el.disabled) question.close();
    },
  };
}

/** Who is signed in, and signing in or out. A password never becomes a trait: see signin.js. */
function person(ctx) {
  const { t } = ctx;
  const operator = h("span", { class: "o2", "data-name": "operator" });
  const act = button("", () => (ctx.place().signed_in ? ctx.ask("sign_out") : sheet.open()), { name: "sign-person" });
  const sheet = signInSheet(ctx);
  const el = h("span", { class: "row person" }, operator, act, sheet.el);
  return {
    el,
    update(s) {
      const place = ctx.place();
      const name = place.signed_in || (s.session || {}).operator;
      show(operator, Boolean(name));
      put(operator, place.signed_in ? place.signed_in : t("bar.operator", { name }));
      show(act, Boolean(place.can_sign_in));
      put(act, place.signed_in ? t("sign.lock") : t("sign.in"));
      if (place.signed_in) sheet.close();
    },
  };
}

export function topbar(ctx) {
  const { t } = ctx;
  const chips = h("div", { class: "chips" });
  const engine = h("span", { class: "engine", role: "status" });
  const beat = h("span", { class: "mute o3" });
  const time = h("b", { class: "semi clock" });
  const el = h("header", { class: "bar" });
  const who = identity(ctx);
  const views = navigation(ctx);
  const over = endSession(ctx, el);
  const signed = person(ctx);
  el.append(h("span", { html: GLYPH }), who.el, views.el, chips,
    h("div", { class: "end" }, engine, beat, signed.el, time, over.el, languageSwitch(ctx.model, t)));

  const drawChips = whenChanged((words) => {
    chips.replaceChildren(...words.map((word) => h("span", { class: "chip line", "data-name": "simulated" },
      h("span", { html: SIMULATED }), word)));
  });
  const drawEngine = whenChanged(([kind, word]) => engine.replaceChildren(light(kind, word)));

  return {
    el,
    update(s) {
      const session = s.session || {};
      const words = [];
      if (session.simulated) words.push(t("bar.simulated_participant"));
      if (session.effector_simulated) words.push(t("bar.simulated_effector"));
      if (session.consent_missing) words.push(t("bar.consent_missing"));
      if (session.speed && session.speed !== 1) words.push(t("bar.speed", { n: session.speed }));
      drawChips(words);
      for (const part of [who, views, over, signed]) part.update(s);
    },
    tick() {
      const link = ctx.link();
      drawEngine(link.lost ? ["high", t("engine.lost")]
        : link.state === "live" ? engineLight(ctx)
          : ["off", t({ starting: "engine.starting", ending: "engine.stopping" }[link.state] || "engine.none")]);
      show(beat, link.state === "live" || link.lost);
      put(beat, t("engine.heartbeat", { age: age(t, link.age) }));
      put(time, new Date().toLocaleTimeString("en-GB"));
    },
  };
}
