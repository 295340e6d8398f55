// What can be saved of a run: its results, its series, and what its script made of them.

import { get } from "../client.js";
import { h } from "../dom.js";
import * as format from "../format.js";
import { csv, filename, save, saveFrom } from "../parts/download.js";
import { failed } from "../parts/notice.js";
import { section } from "../parts/panel.js";

const found = new Map();

export function downloads(test, series, signal) {
  const kept = h("ul", { class: "files" });
  const file = (words, note, work) =>
    h("li", null, h("button", { type: "button", class: "link", onclick: () => Promise.resolve(work()).catch(failed) }, words), h("small", null, note));
  kept.append(
    file(filename(test.name, ".json"), "all results", () => save(filename(test.name, ".json"), JSON.stringify(test, null, 2), "application/json")),
    file(filename(test.name, ".csv"), "one line a second", () => save(filename(test.name, ".csv"), csv(series.rows()), "text/csv")),
  );
  const add = (artifacts) => {
    for (const one of artifacts) {
      const path = one.name.split("/").map(encodeURIComponent).join("/");
      kept.append(file(one.name, `${format.bytes(one.size_bytes)}, made by the script`, () => saveFrom(`/tests/${test.id}/artifacts/${path}`, one.name.split("/").at(-1))));
    }
  };
  if (found.has(test.id)) add(found.get(test.id));
  else {
    get(`/tests/${test.id}/artifacts`, {}, signal)
      .then(({ artifacts }) => {
        found.set(test.id, artifacts);
        add(artifacts);
      })
      .catch(() => {});
  }
  return section("Downloads", kept);
}
