// Who, where, whether it is simulated, and the end of the session. The simulated badges have no switch.
import { age, button, confirmation, h, languageSwitch, put, show, whenChanged } from "./dom.js";
import { GLYPH, SIMULATED, light } from "./icons.js";

function engineLight(ctx) {
  const state = (ctx.status().engine || {}).state || "running";
  return [{ failed: "high", stopping: "off", starting: "off", compiling: "off", connecting: "off" }[state] || "ok", ctx.t(`engine.${state}`, {}, state)];
}

export function topbar(ctx) {
  const { t } = ctx;
  const crumbs = h("nav", { class: "crumbs", "aria-label": t("bar.where") });
  const chips = h("div", { class: "chips" });
  const engine = h("span", { class: "engine", role: "status" });
  const beat = h("span", { class: "mute o2" });
  const operator = h("span", { class: "o2" });
  const time = h("b", { class: "semi", style: "color:var(--ink)" });
  const over = button("", () => question.open({
    title: t("session.end_question", { session: (ctx.status().session || {}).session || "" }), text: t("session.end_keeps"),
    no: t("session.keep"), yes: t("session.end_now"), name: "end-session-now", act: () => ctx.ask("end_session", {}, 300),
  }), { kind: "over", name: "end-session" });
  const why = h("small");
  over.append(h("span", {}, t("session.end")), why);
  const el = h("header", { class: "bar" }, h("span", { html: GLYPH }), crumbs, chips,
    h("div", { class: "end" }, engine, beat, operator, time, over, languageSwitch(ctx.model, t)));
  const question = confirmation(el);

  const drawCrumbs = whenChanged((names) => {
    const bold = 2;
    crumbs.replaceChildren(...names.flatMap((name, i) => [
      i ? h("i", { "aria-hidden": "true" }, "/") : null,
      h(i < bold ? "b" : "span", { title: name }, name),
    ]).filter(Boolean));
  });
  const drawChips = whenChanged((words) => {
    chips.replaceChildren(...words.map((word) => h("span", { class: "chip line", "data-name": "simulated" },
      h("span", { html: SIMULATED }), word)));
  });
  const drawEngine = whenChanged(([kind, word]) => engine.replaceChildren(light(kind, word)));

  return {
    el,
    update(s) {
      const session = s.session || {};
      drawCrumbs([session.study, session.participant, session.visit, session.session].filter(Boolean).map(String));
      const words = [];
      if (session.simulated) words.push(t("bar.simulated_participant"));
      if (session.effector_simulated) words.push(t("bar.simulated_effector"));
      if (session.speed && session.speed !== 1) words.push(t("bar.speed", { n: session.speed }));
      drawChips(words);
      const live = ctx.link().state === "live";
      show(over, live);
      over.disabled = ctx.goes();
      put(why, over.disabled ? t("session.run_first") : "");
      show(why, over.disabled);
      if (!live || over.disabled) question.close();
      show(operator, Boolean(session.operator));
      put(operator, t("bar.operator", { name: session.operator }));
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
