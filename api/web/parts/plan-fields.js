// What a template and a schedule keep of a test: name, script, workers, duration, region.

import { h } from "../dom.js";
import { field, input } from "./form.js";
import { section } from "./panel.js";
import { regionFields } from "./region-fields.js";
import { scriptFields } from "./script-fields.js";

const SCRIPT = "export default function () {\n  http.get('https://api.example.com/health');\n  sleep(1);\n}\n";

// { script: element, test: element, values(): body for the API }
export function planFields(kept, regions, signal, ...more) {
  const script = scriptFields({ signal, text: kept?.script_content ?? SCRIPT, files: false });
  const name = input("name", { required: true, maxlength: 200, value: kept?.name ?? "" });
  const workers = input("workers", { type: "number", min: 1, step: 1, required: true, value: kept?.workers ?? 10 });
  const seconds = input("duration_seconds", { type: "number", min: 1, step: 1, required: true, value: kept?.duration_seconds ?? 60 });
  const region = regionFields(regions, kept?.region);
  script.check();
  return {
    script: section("Script", script.element),
    test: section("Test", field("Name", name), more, h("div", { class: "pair" }, field("Workers", workers, "Virtual users"), field("Seconds", seconds, "Duration")), region.element),
    values: () => ({
      name: name.value.trim(),
      script_content: script.text(),
      workers: Number(workers.value),
      duration_seconds: Number(seconds.value),
      region: region.value() || undefined,
    }),
  };
}
