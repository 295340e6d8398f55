// Where a test runs.

import { h } from "../dom.js";
import { field, select } from "./form.js";

export function regionFields(regions) {
  const words = (one) => [one.name === one.code ? null : one.name, one.code].filter(Boolean).join(" · ");
  const chosen = regions.find((one) => one.default)?.code ?? regions[0]?.code;
  const box = select("region", regions.map((one) => [one.code, words(one)]), chosen);
  return {
    element: h("div", null, field("Region", box, "Where its workers run")),
    value: () => box.value,
    choose(code) {
      box.value = code;
    },
  };
}
