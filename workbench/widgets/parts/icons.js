// The shape carries the meaning, the colour repeats it, and a word names it. All are drawn here, none is loaded.
import { h } from "./dom.js";

const svg = (box, inner, more = "") => `<svg viewBox="0 0 ${box} ${box}" aria-hidden="true" ${more}>${inner}</svg>`;
const OCTAGON = "M4.9.8h6.2l4.1 4.1v6.2l-4.1 4.1H4.9L.8 11.1V4.9z";
const RING = (inner) => svg(16, `<circle cx="8" cy="8" r="6.4" fill="none" stroke="currentColor" stroke-width="1.8"/>${inner}`);
const DISC = (inner) => svg(16, `<circle cx="8" cy="8" r="7" fill="currentColor"/>${inner}`);

/** Status lights: disc-tick, square-i, triangle, octagon-cross, broken ring, dot. */
export const LIGHTS = {
  ok: DISC('<path d="M4.6 8.3l2.3 2.3 4.5-4.9" fill="none" stroke="var(--surface)" stroke-width="1.9" stroke-linecap="round" stroke-linejoin="round"/>'),
  low: svg(16, '<rect x="1.2" y="1.2" width="13.6" height="13.6" rx="2.5" fill="currentColor" stroke="var(--on-low)" stroke-width=".9"/><path d="M8 7.4v4.2M8 4.4v.4" stroke="var(--on-low)" stroke-width="1.9" stroke-linecap="round"/>'),
  medium: svg(16, '<path d="M8 1.2L15.4 14.4H.6z" fill="currentColor" stroke="var(--on-medium)" stroke-width=".9" stroke-linejoin="round"/><path d="M8 5.6v4.2M8 11.4v1.2" stroke="var(--on-medium)" stroke-width="1.7" stroke-linecap="round"/>'),
  high: svg(16, `<path d="${OCTAGON}" fill="currentColor"/><path d="M5.2 5.2l5.6 5.6M10.8 5.2l-5.6 5.6" stroke="var(--surface)" stroke-width="1.9" stroke-linecap="round"/>`),
  off: svg(16, '<circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.6" stroke-dasharray="2.6 2.1"/>'),
  dot: svg(16, '<circle cx="8" cy="8" r="2.6" fill="currentColor"/>'),
};

/** Effector states; anything unknown is drawn as disconnected. */
export const STATES = {
  DISCONNECTED: ["dash", svg(16, '<circle cx="8" cy="8" r="6.4" fill="none" stroke="currentColor" stroke-width="1.8" stroke-dasharray="2.5 2"/>')],
  SELFTEST: ["plain", RING('<path d="M8 8V1.6" stroke="currentColor" stroke-width="1.8"/>')],
  IDLE_SAFE: ["plain", RING("")],
  ARMED: ["soft", RING('<path d="M8 1.6a6.4 6.4 0 0 1 0 12.8z" fill="currentColor"/>')],
  ACTIVE: ["solid", DISC("")],
  HOLD: ["solid", DISC('<path d="M6 5v6M10 5v6" stroke="var(--intent)" stroke-width="2"/>')],
  RELEASE: ["soft", RING('<path d="M8 4.5v5M5.5 7.5L8 10.5l2.5-3" fill="none" stroke="currentColor" stroke-width="1.6"/>')],
  REFRACTORY: ["plain", RING('<path d="M8 4v4l2.5 1.5" fill="none" stroke="currentColor" stroke-width="1.6"/>')],
  FAULT_SAFE: ["fault", svg(16, `<path d="${OCTAGON}" fill="currentColor"/><rect x="5.5" y="5.5" width="5" height="5" fill="var(--high-soft)"/>`)],
  ESTOP: ["stopped", svg(16, `<path d="${OCTAGON}" fill="currentColor"/><path d="M5 5l6 6M11 5l-6 6" stroke="var(--high)" stroke-width="2"/>`)],
};

const HAND = 'viewBox="0 0 92 92" fill="none" stroke="currentColor" stroke-width="4" stroke-linejoin="round" stroke-linecap="round" class="hand" aria-hidden="true"';
const FIST = `<svg ${HAND}><path d="M17 44v12c0 15 10 24 23 24h14c13 0 22-9 22-23V44"/><rect x="17" y="21" width="14.6" height="30" rx="7.3"/><rect x="31.6" y="15" width="14.6" height="34" rx="7.3"/><rect x="46.2" y="15" width="14.6" height="34" rx="7.3"/><rect x="60.8" y="20" width="15" height="31" rx="7.3"/><path d="M15 58c0-8 5-13 13-13h24c5.5 0 8.5 3.6 8.5 7.6s-3 7.6-8.5 7.6H42" fill="var(--cuebg)"/></svg>`;
const OPEN = `<svg ${HAND}><path d="M26 46V22a6.5 6.5 0 0 1 13 0v18M39 40V14a6.5 6.5 0 0 1 13 0v26M52 40V18a6.5 6.5 0 0 1 13 0v24M65 42V28a6.5 6.5 0 0 1 13 0v28c0 16-10 26-26 26-11 0-18-5-24-14L15 52c-3-5 4-11 9-7l5 6"/></svg>`;
const arrow = (turn) => `<svg ${HAND}><g transform="rotate(${turn} 46 46)"><path d="M78 46H16M40 20L14 46l26 26"/></g></svg>`;
const FEET = `<svg ${HAND}><rect x="18" y="16" width="22" height="46" rx="11"/><rect x="52" y="16" width="22" height="46" rx="11"/><path d="M22 72h14M56 72h14"/></svg>`;
const RINGCUE = `<svg ${HAND}><circle cx="46" cy="46" r="28"/></svg>`;

/** Pictures for what the participant is asked to do; a condition without its own picture gets a ring. */
export const CUES = {
  grasp: FIST, hands: FIST, hand: FIST, fists: FIST, rest: OPEN, open: OPEN, release: OPEN,
  left: arrow(0), left_hand: arrow(0), right: arrow(180), right_hand: arrow(180), feet: FEET, "": RINGCUE,
};

export const GLYPH = '<svg class="glyph" viewBox="0 0 26 26" aria-hidden="true"><rect x=".75" y=".75" width="24.5" height="24.5" rx="6" fill="none" stroke="currentColor" stroke-width="1.5"/><path d="M5 13h3.2l2-5.6 3.6 11.2 2.4-7.2 1.1 1.6H21" fill="none" stroke="currentColor" stroke-width="1.7" stroke-linejoin="round" stroke-linecap="round"/></svg>';
export const SIMULATED = '<svg viewBox="0 0 12 12" aria-hidden="true"><rect x="1" y="1" width="10" height="10" rx="2" fill="none" stroke="currentColor" stroke-width="1.4" stroke-dasharray="2 1.6"/></svg>';
export const STOPSIGN = '<svg viewBox="0 0 46 46" aria-hidden="true"><path d="M14 2h18l12 12v18L32 44H14L2 32V14z" fill="none" stroke="currentColor" stroke-width="3"/><rect x="15" y="15" width="16" height="16" rx="1.5" fill="currentColor"/></svg>';
export const WARNING = {
  high: svg(28, '<path d="M8.6 1h10.8L27 8.6v10.8L19.4 27H8.600L1 19.400V8.600z" fill="var(--on-high)"/><path d="M14 7v9M14 19.400v2.200" stroke="var(--high)" stroke-width="3" stroke-linecap="round"/>', 'class="ic"'),
  medium: svg(28, '<path d="M14 2.500L27 25.500H1z" fill="none" stroke="currentColor" stroke-width="2.600" stroke-linejoin="round"/><path d="M14 10.500v7M14 20.500v1.800" stroke="currentColor" stroke-width="2.600" stroke-linecap="round"/>', 'class="ic"'),
  low: svg(28, '<rect x="2" y="2" width="24" height="24" rx="5" fill="var(--low)" stroke="var(--on-low)"/><path d="M14 13v7.500M14 7.500v1" stroke="var(--on-low)" stroke-width="2.800" stroke-linecap="round"/>', 'class="ic"'),
};

/** A status light with its word. `kind` is a key of LIGHTS. */
export function light(kind, word = "", strong = true) {
  return h("span", { class: `lt ${kind}` }, h("span", { class: "ico", html: LIGHTS[kind] || LIGHTS.off }),
    word ? h(strong ? "b" : "span", {}, word) : null);
}
