// Where a test runs: in one region, or in several with weights (`eu-hel1:60,us-east-1:40`).

import { h, set } from "../dom.js";
import { field, input, select } from "./form.js";

const SEVERAL = "several";

export function regionFields(regions, chosen) {
  const words = (one) => [one.name === one.code ? null : one.name, one.code].filter(Boolean).join(" · ");
  const first = regions.find((one) => one.default)?.code ?? regions[0]?.code;
  const choices = regions.map((one) => [one.code, words(one)]);
  if (regions.length > 1) choices.push([SEVERAL, "Several, with weights …"]);
  const box = select("region", choices, first);
  const place = h("div");
  let weights = [];
  box.addEventListener("change", () => draw({ [first]: 50 }));

  function draw(given) {
    if (box.value !== SEVERAL) {
      set(place);
      return;
    }
    weights = regions.map((one) => [one.code, input(`weight-${one.code}`, { type: "number", min: 0, max: 1000, step: 1, value: given[one.code] ?? 0, inputmode: "numeric" })]);
    set(place, h(
      "fieldset",
      { class: "weights" },
      h("legend", null, "Weights"),
      h("p", { class: "hint" }, "Its share of the load; 0 for none."),
      h("div", { class: "pair" }, weights.map(([code, one]) => field(code, one))),
    ));
  }

  const fields = {
    element: h("div", { class: "body" }, field("Region", box, "Where its workers run"), place),
    value() {
      if (box.value !== SEVERAL) return box.value;
      const named = weights.filter(([, one]) => Number(one.value) > 0).map(([code, one]) => `${code}:${one.value}`);
      if (!named.length) throw new Error("Region: give at least one region a weight.");
      return named.join(",");
    },
    choose(text) {
      if (regions.some((one) => one.code === text)) box.value = text;
      else if (text.includes(":") && regions.length > 1) box.value = SEVERAL;
      draw(Object.fromEntries(text.split(",").map((part) => part.split(":"))));
    },
  };
  if (chosen) fields.choose(chosen);
  return fields;
}
