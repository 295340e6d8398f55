// What can be saved of a run: its reports, its series, and what its script made of them.

import { get } from "../client.js";
import { h } from "../dom.js";
import * as format from "../format.js";
import { filename, saveFrom } from "../parts/download.js";
import { failed } from "../parts/notice.js";
import { section } from "../parts/panel.js";

const found = new Map();

// [ending, what it is, where the API has it]
const REPORTS = [
  [".html", "a report for people, in one file", "report?format=html"],
  [".xml", "JUnit: a case for each threshold and check", "report?format=junit"],
  [".csv", "one line a second", "report?format=csv"],
  [".json", "all results", "report?format=json"],
  [".series.parquet", "one row a second, for DuckDB or Ray Data", "series?format=parquet"],
];

export function downloads(test, signal) {
  const file = (name, note, path) => {
    const keep = () => saveFrom(`/tests/${test.id}/${path}`, name.split("/").at(-1)).catch(failed);
    return h("li", null, h("button", { type: "button", class: "link", onclick: keep }, name), h("small", null, note));
  };
  const kept = h("ul", { class: "files" }, REPORTS.map(([ending, note, path]) => file(filename(test.name, ending), note, path)));
  const add = (artifacts) => {
    for (const one of artifacts) {
      const path = one.name.split("/").map(encodeURIComponent).join("/");
      kept.append(file(one.name, `${format.bytes(one.size_bytes)}, made by the script`, `artifacts/${path}`));
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
