// Line charts in SVG. What they show can be read as a table as well.

import { h, set, svg, unique } from "../dom.js";
import { compact } from "../format.js";
import { roof, ticks } from "./scale.js";
import { table } from "./table.js";

const HEIGHT = 190;
const LEFT = 52;
const RIGHT = 12;
const TOP = 10;
const BOTTOM = 26;
const GAP = 10;
const MOST_POINTS = 600;
const MOST_ROWS = 500;

// A figure with `update(series, domain)`, where series are [{ name, points: [[x, y]] }] in the order
// of their colours, and domain is [from, to] of x. `dots`: a mark at each point.
export function chart({ title, value = compact, x, xTicks, dots = false, kind = "", hint = "" }) {
  const id = unique("chart");
  const drawing = svg("svg", { role: "img", "aria-labelledby": id, class: "drawing", height: HEIGHT });
  const tip = h("div", { class: "tip", hidden: true });
  const legend = h("ul", { class: "legend" });
  const nothing = h("p", { class: "no-data" }, "No data yet");
  const plot = h("div", { class: "plot" }, drawing, tip, nothing);
  const data = h("details", { class: "data" }, h("summary", null, "Data"));
  const element = h(
    "figure",
    { class: `chart ${kind}` },
    h("figcaption", null, h("span", { class: "title" }, title), hint ? h("span", { class: "hint" }, hint) : null, legend),
    plot,
    data,
  );
  let lines = [];
  let range = [0, 1];
  let width = 0;
  let place = null;

  function draw() {
    width = Math.max(120, plot.clientWidth || 480);
    drawing.setAttribute("width", width);
    drawing.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    const all = lines.flatMap((line) => line.points);
    nothing.hidden = all.length > 0;
    const high = roof(Math.max(0, ...lines.map((line) => highest(line.points))), 4);
    const [from, to] = range;
    const span = to - from || 1;
    place = {
      x: (at) => LEFT + ((at - from) / span) * (width - LEFT - RIGHT),
      y: (at) => TOP + (1 - at / high) * (HEIGHT - TOP - BOTTOM),
    };
    const words = all.length
      ? `${title}. ${lines.map((line) => described(line)).join("; ")}.`
      : `${title}: no data yet.`;
    set(drawing, svg("title", { id }, words), axes(high), lines.map((line, index) => drawn(line, index)), svg("g", { class: "cross" }));
    set(legend, lines.length > 1 || lines[0]?.name
      ? lines.map((line, index) => h("li", { class: `c${(index % 10) + 1}` }, h("span", { class: "swatch", "aria-hidden": "true" }), line.name))
      : []);
  }

  function described(line) {
    const last = line.points.at(-1);
    return `${line.name ? `${line.name}: ` : ""}last ${last ? value(last[1]) : "none"}, highest ${value(highest(line.points))}`;
  }

  function axes(high) {
    const parts = [];
    for (const tick of ticks(0, high, 4)) {
      const at = place.y(tick);
      parts.push(svg("line", { class: "rule", x1: LEFT, x2: width - RIGHT, y1: at, y2: at }));
      parts.push(svg("text", { class: "y", x: LEFT - 8, y: at + 4 }, value(tick)));
    }
    for (const tick of xTicks(range[0], range[1], Math.max(2, Math.floor(width / 90)))) {
      const at = place.x(tick);
      if (at < LEFT - 1 || at > width - RIGHT + 1) continue;
      parts.push(svg("text", { class: "x", x: Math.min(Math.max(at, LEFT + 4), width - RIGHT - 10), y: HEIGHT - 8 }, x(tick)));
    }
    return svg("g", { class: "axes", "aria-hidden": "true" }, parts);
  }

  function drawn(line, index) {
    const points = thinned(line.points);
    const path = points.map(([at, height], n) => `${n ? "L" : "M"}${place.x(at).toFixed(1)} ${place.y(height).toFixed(1)}`).join("");
    const group = svg("g", { class: `line c${(index % 10) + 1}` });
    if (line.area && points.length > 1) {
      const floor = place.y(0).toFixed(1);
      group.append(svg("path", { class: "area", d: `${path}L${place.x(points.at(-1)[0]).toFixed(1)} ${floor}L${place.x(points[0][0]).toFixed(1)} ${floor}Z` }));
    }
    if (!line.dotsOnly) group.append(svg("path", { class: "stroke", d: path }));
    if (dots || line.dotsOnly || points.length === 1) {
      for (const [at, height] of points) group.append(svg("circle", { cx: place.x(at).toFixed(1), cy: place.y(height).toFixed(1), r: 3 }));
    }
    return group;
  }

  function hovered(event) {
    const found = lines.flatMap((line) => line.points);
    if (!found.length || !place) return;
    const box = drawing.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * width;
    let nearest = found[0][0];
    for (const [candidate] of found) {
      if (Math.abs(place.x(candidate) - at) < Math.abs(place.x(nearest) - at)) nearest = candidate;
    }
    const left = place.x(nearest);
    set(drawing.querySelector(".cross"), svg("line", { x1: left, x2: left, y1: TOP, y2: HEIGHT - BOTTOM }));
    set(
      tip,
      h("b", null, x(nearest)),
      lines.map((line, index) => {
        const hits = line.points.filter(([candidate]) => candidate === nearest);
        return hits.map(([, height, words]) =>
          h("span", { class: `c${(index % 10) + 1}` }, h("i", { class: "swatch" }), `${words ?? line.name ?? ""} ${value(height)}`));
      }),
    );
    tip.hidden = false;
    // Beside the line, not over it.
    const beside = left + GAP + tip.offsetWidth <= width ? left + GAP : left - GAP - tip.offsetWidth;
    tip.style.left = `${Math.max(0, beside)}px`;
  }

  drawing.addEventListener("pointermove", hovered);
  drawing.addEventListener("pointerleave", () => {
    tip.hidden = true;
    set(drawing.querySelector(".cross"));
  });
  data.addEventListener("toggle", tabulate);

  // The table behind the chart, if it is open and nobody is in it.
  function tabulate() {
    const before = data.querySelector(".table, .empty-line");
    if (data.open && before?.contains(document.activeElement)) return;
    const top = before?.scrollTop ?? 0;
    before?.remove();
    if (!data.open) return;
    data.append(asTable());
    data.lastChild.scrollTop = top;
  }

  function asTable() {
    const rows = new Map();
    lines.forEach((line, index) => {
      for (const [at, height] of line.points) {
        if (!rows.has(at)) rows.set(at, []);
        rows.get(at)[index] = height;
      }
    });
    const sorted = [...rows].sort(([a], [b]) => a - b).slice(-MOST_ROWS);
    const columns = [
      { title: "At", value: ([at]) => x(at) },
      ...lines.map((line, index) => ({ title: line.name || title, number: true, value: ([, values]) => values[index] === undefined ? "–" : value(values[index]) })),
    ];
    return table(`${title}: data`, columns, sorted, { compact: true, empty: "No data yet." });
  }

  const resized = new ResizeObserver(() => {
    if (Math.abs(plot.clientWidth - width) > 1) draw();
  });
  resized.observe(plot);

  return {
    element,
    update(series, domain) {
      lines = series;
      range = domain;
      draw();
      if (data.open) tabulate();
    },
  };
}

function highest(points) {
  let most = 0;
  for (const [, height] of points) if (height > most) most = height;
  return most;
}

// Of many points the lowest and the highest of each part: peaks stay to be seen.
function thinned(points) {
  if (points.length <= MOST_POINTS) return points;
  const size = Math.ceil((points.length * 2) / MOST_POINTS);
  const kept = [];
  for (let from = 0; from < points.length; from += size) {
    let low = points[from];
    let high = points[from];
    for (let index = from; index < Math.min(from + size, points.length); index++) {
      if (points[index][1] < low[1]) low = points[index];
      if (points[index][1] > high[1]) high = points[index];
    }
    if (low === high) kept.push(low);
    else kept.push(...(low[0] < high[0] ? [low, high] : [high, low]));
  }
  return kept;
}
