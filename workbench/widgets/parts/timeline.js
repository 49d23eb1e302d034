// One axis of time: visits, sessions, deviations and adverse events, so that a dip can be read against what happened.
import { h } from "./dom.js";

const DAY_MS = 86400000;
const GUTTER = 116; // names of the lanes
const MONTH_WIDTH = 76; // a label of a month needs so much
const LANE = { row: 16, bar: 13, gap: 10 };

/** An ISO date as milliseconds, at noon: no time zone moves it to another day. */
const at = (iso) => new Date(`${iso.slice(0, 10)}T12:00:00`).getTime();

/** 2026-03-01 → 1 Mar 2026 in the language of the page; a dash for none. */
export function dayOf(t, iso) {
  return iso ? new Date(at(iso)).toLocaleDateString(t("form.locale"), { day: "numeric", month: "short", year: "numeric" }) : "—";
}

export function svgOf(name, attributes = {}, ...children) {
  const el = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) el.setAttribute(key, value);
  el.append(...children.filter(Boolean));
  return el;
}

/** Draws again whenever the width of the place changes; text keeps its size that way. Returns the place and its end. */
export function sized(draw) {
  const el = h("div", { class: "sized" });
  let last = 0;
  const again = () => {
    const width = Math.floor(el.clientWidth);
    if (width && width !== last) el.replaceChildren(draw((last = width)));
  };
  const observer = new ResizeObserver(again);
  observer.observe(el);
  return { el, redraw: () => { last = 0; again(); }, stop: () => observer.disconnect() };
}

function spanOf(page) {
  const days = [page.today, ...page.visits.flatMap((one) => [one.planned, one.earliest, one.latest, one.held]), ...page.sessions.map((one) => one.day),
    ...page.deviations.map((one) => one.day), ...(page.events || []).flatMap((one) => [one.day, one.until]), ...(page.implants || []).flatMap((one) => [one.implanted_on, ...one.checks.map((check) => check.planned)])].filter(Boolean).map(at);
  const [first, last] = [Math.min(...days), Math.max(...days)];
  const pad = Math.max(10 * DAY_MS, 0.03 * (last - first));
  return [first - pad, last + pad];
}

/** The first of each month that has room for its name. */
function months(t, [from, to], width) {
  const spare = Math.ceil((to - from) / DAY_MS / 30.4 / Math.max(1, width / MONTH_WIDTH));
  const step = [1, 2, 3, 6, 12, 24, 60].find((n) => n >= spare) || 120;
  const begin = new Date(from);
  const found = [];
  for (let month = Math.ceil((begin.getMonth() + 1) / step) * step; ; month += step) {
    const day = new Date(begin.getFullYear(), month, 1, 12);
    if (day.getTime() > to) return found;
    found.push([day.getTime(), day.toLocaleDateString(t("form.locale"), { month: "short", year: "numeric" })]);
  }
}

const WIDE = /[ᄀ-鿿＀-￯]/;
/** About how wide a text of 12 px is: only to see whether names collide. */
export const widthOf = (text) => [...text].reduce((sum, one) => sum + (WIDE.test(one) ? 12.5 : 6.7), 0);

/** Puts names into rows so that none overlaps; one that fits nowhere is left out here and stands in the list. */
function placed(names, [left, right], rows) {
  const taken = Array.from({ length: rows }, () => []);
  return names.map(({ x, text }) => {
    const wide = widthOf(text) + 8;
    const start = Math.min(Math.max(left, x - wide / 2), right - wide);
    const row = taken.findIndex((spans) => spans.every(([from, to]) => start >= to || start + wide <= from));
    if (row < 0) return null;
    taken[row].push([start, start + wide]);
    return { x: start, row, text };
  });
}

const TICK = "M-3.1 .2l2.100 2.100 4.100-4.500";

function visitMark(visit, x, y) {
  const [from, to] = [x(at(visit.earliest || visit.planned || visit.held)), x(at(visit.latest || visit.planned || visit.held))];
  const bar = svgOf("rect", { class: `win ${visit.state}`, x: from - 4, y, width: Math.max(8, to - from + 8), height: LANE.bar, rx: 3 });
  const middle = y + LANE.bar / 2;
  const tick = () => svgOf("g", { transform: `translate(${x(at(visit.held))} ${middle})` }, svgOf("circle", { class: "heldmark", r: 6 }), svgOf("path", { class: "tick", d: TICK }));
  const cross = () => svgOf("path", { class: "cross", d: `M${(from + to) / 2 - 4} ${middle - 4}l8 8m0-8l-8 8` });
  return svgOf("g", {}, bar, visit.held ? tick() : visit.state === "missed" ? cross() : null);
}

/** Rows for bars that would overlap: each takes the first one that is free. */
function rowsOf(spans) {
  const ends = [];
  return spans.map(([from, to]) => {
    const free = ends.findIndex((end) => from >= end);
    const row = free < 0 ? ends.length : free;
    ends[row] = to;
    return row;
  });
}

const eventSaid = (t, one) => t(one.until ? "person.event.ended" : "person.event.going_on", { text: one.text, from: dayOf(t, one.day) });

/** A text cut to about a width in px. */
function cut(text, room) {
  if (widthOf(text) <= room) return text;
  let kept = text;
  while (kept && widthOf(kept) + 12 > room) kept = kept.slice(0, -1);
  return `${kept.trimEnd()}…`;
}

/** Where the bar of an event and its words stand: beside the bar and the line of today, to the left where no room is. */
function eventPlace(one, x, now, [left, right]) {
  const from = x(at(one.day));
  const to = Math.max(from + 8, one.until ? x(at(one.until)) : now);
  const wide = widthOf(one.text);
  const after = to + 6 < now + 8 && to + 6 + wide > now ? now + 8 : to + 6;
  if (right - after >= Math.min(wide, from - left)) return { from, to, words: after, text: cut(one.text, right - after) };
  return { from, to, words: from - 6, text: cut(one.text, from - 6 - left), anchor: "end" };
}

function eventLane(t, page, x, y, ends) {
  const places = page.events.map((one) => eventPlace(one, x, x(at(page.today)), ends));
  const rows = rowsOf(places.map(({ from, to, words, text, anchor }) => (anchor ? [words - widthOf(text), to + 8] : [from, words + widthOf(text) + 8])));
  const marks = page.events.map((one, i) => {
    const { from, to, words, text, anchor } = places[i];
    const top = y + rows[i] * (LANE.bar + 4);
    const said = svgOf("title");
    said.textContent = eventSaid(t, one);
    return svgOf("g", {}, said, svgOf("rect", { class: `event ${one.serious ? "serious" : ""} ${one.until ? "" : "ongoing"}`, x: from, y: top, width: to - from, height: LANE.bar, rx: 3 }),
      svgOf("text", { class: "eventwords", x: words, y: top + 11, "text-anchor": anchor }, text));
  });
  return { marks, height: Math.max(1, ...rows.map((row) => row + 1)) * (LANE.bar + 4) };
}

/** A check of an implant in words: what it is, where it stands, and its day or its window. */
export function checkSaid(t, check) {
  return t(`person.check.${check.state}`, { name: check.name, day: dayOf(t, check.found_on), from: dayOf(t, check.earliest), until: dayOf(t, check.latest) });
}

/** How the checks of an implant stand, in few words. */
function checksInShort(t, one) {
  const count = (state) => one.checks.filter((check) => check.state === state).length;
  const next = one.checks.find((check) => check.state === "ahead");
  const parts = ["missed", "due"].filter(count).map((state) => t(`person.implant.${state}`, { n: count(state) }));
  return [one.device, ...parts, next && !one.explanted_on ? t("person.implant.next", { day: dayOf(t, next.planned) }) : ""].filter(Boolean).join(" · ");
}

/** One implant on a line from its surgery: what was found, what is planned, and what was missed; words where there is room. */
function implantOnAxis(t, one, today, x, y, right) {
  const middle = y + LANE.bar / 2;
  const end = x(at(one.explanted_on || today));
  const titled = (words, ...marks) => {
    const title = svgOf("title");
    title.textContent = words;
    return svgOf("g", {}, title, ...marks);
  };
  const findingSaid = (found) => t("safety.implant.finding", { kind: t(`safety.finding.${found.kind}`, {}, found.kind), day: dayOf(t, found.on), text: found.text });
  const cross = (where, size, kind) => svgOf("path", { class: kind, d: `M${where - size} ${middle - size}l${2 * size} ${2 * size}m0${-2 * size}l${-2 * size} ${2 * size}` });
  const found = one.findings.map((each) => titled(findingSaid(each), each.notable
    ? svgOf("path", { class: "deviation open", d: `M${x(at(each.on))} ${y}l6.500 11.500h-13z` })
    : svgOf("path", { class: "checked", d: `M${x(at(each.on))} ${middle - 6}v12` })));
  const planned = one.checks.filter((check) => check.state !== "done").map((check) => titled(checkSaid(t, check), check.state === "missed"
    ? cross(x(at(check.planned)), 4, "cross missedcheck") : svgOf("circle", { class: `planned ${check.state}`, cx: x(at(check.planned)), cy: middle, r: 5 })));
  const last = Math.max(end, x(at(today)), ...one.checks.map((check) => x(at(check.planned)))) + 12;
  const words = cut(checksInShort(t, one), right - last);
  return [words.length > 1 ? svgOf("text", { class: "quiet", x: last, y: y + 11 }, words) : null, svgOf("path", { class: "life", d: `M${x(at(one.implanted_on))} ${middle}H${end}` }), svgOf("path", { class: "life", d: `M${x(at(one.implanted_on))} ${middle - 4}v8` }),
    one.explanted_on ? titled(t("safety.implant.out", { day: one.explanted_on }), cross(end, 5, "cross")) : null, ...planned, ...found].filter(Boolean);
}

const implantSaid = (t, one) => t("person.implant_said", { device: one.device, day: dayOf(t, one.implanted_on), checks: one.checks.filter((check) => check.state !== "ahead").map((check) => checkSaid(t, check)).join(", ") || "—" });

/** What the lane of events says where it draws none: one without a day stands in the list, and is not nothing. */
const noEvents = (t, page) => t((page.safety || []).some((one) => one.table === "adverse_event" && one.state !== "void") ? "person.events_undated" : "person.no_events");

/** Every lane in words, for who cannot see it; the lists of the page hold the rest. */
function spoken(t, page) {
  const visits = page.visits.map((one) => `${one.name}, ${t(`person.visit.${one.state}`)}`).join("; ");
  const events = (page.events || []).map((one) => eventSaid(t, one)).join("; ") || noEvents(t, page);
  const said = t("person.axis_said", { visits, sessions: page.sessions.length, deviations: page.deviations.length, events });
  return [said, ...(page.implants || []).map((one) => implantSaid(t, one))].join(" ");
}

/** The axis as a picture of a width in px. */
export function timeline(t, page, width) {
  const [left, right] = [GUTTER, width - 12];
  const span = spanOf(page);
  const x = (ms) => left + ((ms - span[0]) / (span[1] - span[0])) * (right - left);
  const dated = page.visits.filter((one) => one.planned || one.earliest || one.held);
  const middleOf = (one) => (x(at(one.earliest || one.planned || one.held)) + x(at(one.latest || one.planned || one.held))) / 2;
  const flagged = (one) => (["late", "missed"].includes(one.state) ? t(`person.flag.${one.state}`, { name: one.name }) : one.name);
  const now = x(at(page.today));
  const here = t("person.today");
  const names = placed([{ x: now + 9 + widthOf(here) / 2, text: here }, ...dated.map((one) => ({ x: middleOf(one), text: flagged(one) }))], [left, right], 3);
  const bars = rowsOf(dated.map((one) => [x(at(one.earliest || one.planned || one.held)) - 5, x(at(one.latest || one.planned || one.held)) + 5]));
  const parts = [];
  const lane = (y, word) => parts.push(svgOf("text", { class: "lane", x: 0, y: y + 11 }, word));
  let y = LANE.row * Math.max(1, ...names.filter(Boolean).map((one) => one.row + 1)) + 6;
  names.filter(Boolean).forEach((one, i) => parts.push(svgOf("text", { class: i ? "" : "now", x: one.x, y: LANE.row * one.row + 13 }, one.text)));
  lane(y, t("person.lane.visits"));
  dated.forEach((one, i) => parts.push(visitMark(one, x, y + bars[i] * (LANE.bar + 3))));
  y += (Math.max(0, ...bars) + 1) * (LANE.bar + 3) + LANE.gap;
  lane(y, t("person.lane.sessions"));
  page.sessions.forEach((one) => parts.push(svgOf("path", { class: "session", d: `M${x(at(one.day))} ${y}v${LANE.bar}` })));
  const last = page.sessions.length ? x(at(page.sessions[page.sessions.length - 1].day)) + 8 : left;
  const told = page.sessions.length ? t(page.sessions.length === 1 ? "person.one_session" : "person.sessions", { n: page.sessions.length }) : t("person.no_sessions");
  // Beside the line of today, not through it.
  const beside = last < now && last + widthOf(told) > now ? now + 8 : last;
  parts.push(svgOf("text", { class: "quiet", x: Math.min(beside, right - widthOf(told)), y: y + 11 }, told));
  y += LANE.bar + LANE.gap;
  if (page.deviations.length) {
    lane(y, t("person.lane.deviations"));
    page.deviations.forEach((one) => parts.push(svgOf("path", { class: `deviation ${one.state}`, d: `M${x(at(one.day))} ${y}l6.500 11.500h-13z` })));
    y += LANE.bar + LANE.gap;
  }
  if (page.events) {
    lane(y, t("person.lane.events"));
    const found = eventLane(t, page, x, y, [left, right]);
    parts.push(...found.marks, page.events.length ? null : svgOf("text", { class: "quiet", x: left, y: y + 11 }, noEvents(t, page)));
    y += found.height + LANE.gap;
  }
  if ((page.implants || []).length) {
    lane(y, t("person.lane.implants"));
    for (const one of page.implants) {
      parts.push(...implantOnAxis(t, one, page.today, x, y, right));
      y += LANE.bar + 4;
    }
    y += LANE.gap - 4;
  }
  const grid = months(t, span, right - left).flatMap(([ms, word]) => [svgOf("path", { class: "grid", d: `M${x(ms)} ${LANE.row}V${y - 4}` }),
    svgOf("text", { class: "quiet", x: Math.min(Math.max(x(ms), left + widthOf(word) / 2), right - widthOf(word) / 2), y: y + 12, "text-anchor": "middle" }, word)]);
  const today = svgOf("path", { class: "today", d: `M${now} 3V${y - 2}` });
  return svgOf("svg", { class: "axis", viewBox: `0 0 ${width} ${y + 18}`, width, height: y + 18, role: "img", "aria-label": spoken(t, page) },
    ...grid, today, ...parts);
}

