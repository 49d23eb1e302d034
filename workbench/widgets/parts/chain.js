// The chain of a system as a picture: what is read, what decides, by which law what follows, and what comes back.
import { h } from "./dom.js";

const INK = 'fill="none" stroke="currentColor" stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round"';

/** Signs of 24 × 24: of signals by their kind, of what decides by what it decides, of what follows. */
const SIGNS = {
  ECoG: `<g ${INK}><rect x="3" y="5.500" width="18" height="13" rx="3"/></g><g fill="currentColor"><circle cx="7.500" cy="9.800" r="1.300"/><circle cx="12" cy="9.800" r="1.300"/><circle cx="16.500" cy="9.800" r="1.300"/><circle cx="7.500" cy="14.200" r="1.300"/><circle cx="12" cy="14.200" r="1.300"/><circle cx="16.500" cy="14.200" r="1.300"/></g>`,
  EEG: `<g ${INK}><path d="M3.500 16.500c0-6 3.500-10 8.500-10s8.500 4 8.500 10z"/></g><g fill="currentColor"><circle cx="8" cy="13" r="1.200"/><circle cx="12" cy="11" r="1.200"/><circle cx="16" cy="13" r="1.200"/></g>`,
  EMG: `<path ${INK} d="M2.500 12h4l1.500-5 2 10 2-12 2 13 2-8 1.200 2h4.300"/>`,
  ECAP: `<path ${INK} d="M2.500 12.500h3.500V5.500h2v7c1.200 0 1.600 6 3.200 6s2.300-11 4-11 2 5 3.300 5h3"/>`,
  IMU: `<g ${INK}><rect x="6" y="6" width="12" height="12" rx="2"/><path d="M12 12l4-3M12 12v4.500M12 12l-4-2"/></g>`,
  force: `<g ${INK}><path d="M4 18.500h16M12 4v10M8 10l4 4 4-4"/></g>`,
  respiration: `<path ${INK} d="M2.500 12c2.400-7 4.800-7 7 0s4.600 7 7 0c1.200-3.600 2.600-5.200 5-5.400"/>`,
  eyes: `<g ${INK}><path d="M2.500 12c5-8 14-8 19 0-5 8-14 8-19 0z"/><circle cx="12" cy="12" r="3"/></g>`,
  potential: `<path ${INK} d="M2.500 13h5l2-6 3.500 11 2.500-8 1.500 3h4.500"/>`,
  decides: `<g ${INK}><path d="M4 4.500v15h16"/><path d="M7 15c3 0 3.500-7 6.500-7H20"/></g>`,
  follows: `<g ${INK}><path d="M4.500 19.500l13-13M11 6h7v7"/></g>`,
  selects: `<g ${INK}><rect x="3" y="5" width="18" height="14" rx="3"/><path d="M6.500 15.500l2.500-7 2.500 7M7.300 13.300h3.400M14 8.500v7"/><circle cx="15.900" cy="13.600" r="1.900"/></g>`,
  hand: `<path ${INK} d="M7.500 13V7.200a1.500 1.500 0 0 1 3 0V12M10.500 11.500V5a1.500 1.500 0 0 1 3 0v6.500M13.500 11.500V6.200a1.500 1.500 0 0 1 3 0V13M16.500 13v-2.600a1.400 1.400 0 0 1 2.800 0V15c0 3.600-2.400 6-6 6-2.800 0-4.300-1.200-5.600-3.300L5 13.700c-.8-1.300.9-2.500 2-1.400z"/>`,
  cursor: `<path ${INK} d="M5.500 4l13 7-5.600 1.600L10.300 18z"/>`,
  current: `<path ${INK} d="M13 3L6 13.500h5L10 21l7.500-11h-5.500z"/>`,
  none: `<g ${INK} stroke-dasharray="2.600 2.400"><circle cx="12" cy="12" r="6.500"/></g>`,
};
const HANDS = ["glove", "tendon_glove"];
const CURRENTS = ["epidural", "fes", "transcutaneous"];

function signOf(system) {
  if (HANDS.includes(system.effector)) return "hand";
  if (CURRENTS.includes(system.effector)) return "current";
  return system.effector ? "cursor" : system.visual ? "selects" : "none";
}

/** Words broken into lines of at most `most` signs; a Chinese sign counts as two. */
function lines(words, most) {
  const wide = (text) => [...text].reduce((n, sign) => n + (sign > "\u2E7F" ? 2 : 1), 0);
  const parts = String(words).match(/[\u2E80-\uFFFF]|[^\s_\u2E80-\uFFFF]+[\s_]?|\s/g) || [];
  const made = [""];
  for (const part of parts) {
    const last = made[made.length - 1];
    if (last && wide((last + part).trimEnd()) > most) made.push(part);
    else made[made.length - 1] = last + part;
  }
  return made.map((line) => line.trim()).filter(Boolean);
}

const kindOf = (t, one) => t(`systems.kind.${one.kind}`, {}, one.kind);
const read = (system) => system.inputs.filter((one) => one.kind !== "markers");
const range = (t, least, most) => (most ? (least === most ? `${least}` : `${least}–${most}`) : t("systems.at_least", { n: least }));
const escaped = (words) => String(words).replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);
const label = (words, x, y, { most = 15, size = 12, ink = "var(--ink-2)" } = {}) => lines(words, most).slice(0, 3).map((line, i) => `<text x="${x}" y="${y + i * (size + 2)}" text-anchor="middle" font-size="${size}" fill="${ink}">${escaped(line)}</text>`).join("");
const head = (x, y, ink) => `<path d="M${x - 8} ${y - 4}L${x} ${y}l-8 4z" fill="${ink}"/>`;
const box = (sign, x, y, look) => `<g class="${look}"><rect x="${x - 21}" y="${y - 21}" width="42" height="42" rx="8"/><svg x="${x - 14}" y="${y - 14}" width="28" height="28" viewBox="0 0 24 24">${SIGNS[sign]}</svg></g>`;

/** What a system is, in one sentence, for whoever does not see the picture. */
export function chainWords(t, system) {
  const task = system.tasks[0];
  const law = task.law ? t(`systems.law.${task.law.law}`) : t("systems.law.none");
  return t("systems.chain", { streams: read(system).map((one) => kindOf(t, one)).join(t("systems.comma")), decoder: task.decoder || t("systems.no_decoder"), law, effector: effectorOf(t, system) });
}

export const effectorOf = (t, system) => (system.effector ? t.said(system, "effector_title") : t(system.visual ? "systems.selection" : "systems.no_effector"));

/** The small picture of a card: three signs, the law above the second arrow, what comes back below. */
export function chainPicture(t, system) {
  const task = system.tasks[0];
  const [signal] = system.inputs;
  const several = read(system);
  const law = task.law ? t(`systems.law.${task.law.law}`) : "";
  const asks = task.law?.law === "proportional" ? "follows" : "decides";
  const [a, b, c, y] = [49, 147, 245, 38];
  const comesBack = system.simulated || system.effector;
  const back = comesBack ? t(system.stimulation ? "systems.feels_it" : system.effector ? "systems.sees_it" : "systems.sees_choice") : t("systems.no_way_back");
  const line = comesBack ? `<path d="M${c} 108v10H${a}v-5" class="back"/><path d="M${a - 4} 114l4-7 4 7z" fill="var(--ink-3)"/>` : "";
  const readAs = several.length > 1 ? several.map((one) => kindOf(t, one)).join(" + ") : `${kindOf(t, signal)} ${t("systems.channels", { n: range(t, signal.least_channels, signal.most_channels) })}`;
  const inner = `<path d="M${a + 26} ${y}H${b - 30}" class="arrow"/>${head(b - 24, y, "var(--ink-3)")}<path d="M${b + 26} ${y}H${c - 30}" class="arrow does"/>${head(c - 24, y, "var(--intent)")}`
    + label(law, (b + c) / 2, y - 26, { most: 30 })
    + box(signal.kind, a, y, "read") + box(task.decoder ? asks : "none", b, y, task.decoder ? "decide" : "read") + box(signOf(system), c, y, system.effector || system.visual ? "act" : "read")
    + label(readAs, a, y + 36, { most: several.length > 1 ? 14 : 15 }) + label(task.decoder || t("systems.no_decoder"), b, y + 36) + label(effectorOf(t, system), c, y + 36)
    + line + `<text x="${b}" y="122" text-anchor="middle" font-size="12" class="between">${escaped(back)}</text>`;
  return h("div", { class: "loop", role: "img", "aria-label": chainWords(t, system), html: `<svg viewBox="0 0 294 128" width="294" height="128" aria-hidden="true">${inner}</svg>` });
}

/** One box of the large picture: a strong line and, below it, what it is. */
function cell(x, y, wide, tall, strong, more, look) {
  const texts = [[strong, 13, "var(--now)", 600], ...lines(more, Math.floor((wide - 20) / 6.3)).slice(0, 2).map((line) => [line, 12, "var(--now-2)", 400])];
  const first = y + tall / 2 - (texts.length - 1) * 7.500 + 4;
  return `<g class="${look}"><rect x="${x}" y="${y}" width="${wide}" height="${tall}" rx="8"/>${texts.map(([words, size, ink, weight], i) => `<text x="${x + wide / 2}" y="${first + i * 15}" text-anchor="middle" font-size="${size}" font-weight="${weight}" fill="${ink}">${escaped(words)}</text>`).join("")}</g>`;
}

/** The whole chain of the usual task: every stream with its rate, the decoder, the law, the effector with its limits. */
export function chainInFull(t, system) {
  const task = system.tasks[0];
  const streams = system.inputs;
  const [tall, gap, wide] = [60, 12, 300];
  const high = Math.max(streams.length * (tall + gap) - gap, 74);
  const middle = high / 2 + 6;
  const facts = (one) => (one.kind === "markers" ? t(one.critical ? "systems.cues" : "systems.cues_optional") : `${kindOf(t, one)} · ${t("systems.channels", { n: range(t, one.least_channels, one.most_channels) })} · ${range(t, one.least_hz, one.most_hz)} Hz`);
  const boxes = streams.map((one, i) => cell(2, 6 + i * (tall + gap), wide, tall, facts(one), t.said(one, "words"), one.critical ? "read" : "read maybe"));
  const joins = streams.map((one, i) => `<path d="M${wide + 2} ${6 + i * (tall + gap) + tall / 2}h18V${middle}h22" class="arrow${one.critical ? "" : " maybe"}"/>`);
  const parts = [[344, 168, task.decoder || t("systems.no_decoder"), t("systems.part.decoder"), "decide"]];
  if (task.law) parts.push([552, 150, t(`systems.law.${task.law.law}`), t("systems.part.law"), "decide"]);
  const at = task.law ? 742 : 552;
  const limits = system.limits ? t("systems.limits.short", { hold: system.limits.hold_limit_s, dose: system.limits.dose_s / 60 }) : "";
  parts.push([at, 186, effectorOf(t, system), limits, system.effector || system.visual ? "act" : "read"]);
  const arrows = parts.map(([x], i) => (i ? `<path d="M${parts[i - 1][0] + parts[i - 1][1]} ${middle}H${x - 8}" class="arrow does"/>${head(x, middle, "var(--intent)")}` : head(x, middle, "var(--ink-3)")));
  const width = at + 188;
  const inner = joins.join("") + boxes.join("") + arrows.join("") + parts.map(([x, w, strong, more, look]) => cell(x, middle - 34, w, 68, strong, more, look)).join("");
  return h("div", { class: "chain", role: "img", "aria-label": chainWords(t, system), html: `<svg viewBox="0 0 ${width} ${high + 14}" width="${width}" height="${high + 14}" aria-hidden="true">${inner}</svg>` });
}
