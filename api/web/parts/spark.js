// A line without axes, for lists.

import { svg } from "../dom.js";
import { compact } from "../format.js";

const WIDTH = 110;
const HEIGHT = 28;

export function spark(values, words) {
  const most = Math.max(...values, 1e-9);
  const step = values.length > 1 ? (WIDTH - 4) / (values.length - 1) : 0;
  const at = values.map((value, index) => [2 + index * step, 2 + (1 - value / most) * (HEIGHT - 4)]);
  if (at.length === 1) at.push([WIDTH - 2, at[0][1]]);
  const path = at.map(([x, y], index) => `${index ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
  const label = `${words}: from ${compact(values[0])} to ${compact(values.at(-1))}, highest ${compact(most)}`;
  return svg(
    "svg",
    { class: "spark", role: "img", "aria-label": label, width: WIDTH, height: HEIGHT, viewBox: `0 0 ${WIDTH} ${HEIGHT}` },
    svg("path", { class: "area", d: `${path}L${at.at(-1)[0].toFixed(1)} ${HEIGHT}L2 ${HEIGHT}Z` }),
    svg("path", { class: "stroke", d: path }),
  );
}
