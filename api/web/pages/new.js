// Create a test.

import { call, get, post } from "../client.js";
import { h, set } from "../dom.js";
import * as format from "../format.js";
import { checkbox, field, input, number } from "../parts/form.js";
import { done } from "../parts/notice.js";
import { heading, section } from "../parts/panel.js";
import { scriptFields } from "../parts/script-fields.js";
import { regionFields } from "../parts/region-fields.js";

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

export async function show({ query, signal, router, title }) {
  title("New test");
  const [{ regions }, { templates }, examples, quota] = await Promise.all([
    get("/regions", {}, signal),
    get("/templates", { limit: 100 }, signal),
    exampleScripts(signal),
    get("/quota", {}, signal).catch(() => null),
  ]);
  let touched = false; // whether somebody has chosen workers and duration
  let named = false;

  const name = input("name", { required: true, maxlength: 200, placeholder: "Checkout under load" });
  const workers = input("workers", { type: "number", min: 1, max: quota?.workers_limit, step: 1, required: true, value: 10, inputmode: "numeric" });
  const duration = input("duration", { type: "number", min: 1, max: quota?.duration_seconds_limit, step: 1, required: true, value: 30, inputmode: "numeric" });
  for (const one of [workers, duration]) one.addEventListener("input", () => {
    touched = true;
  });
  name.addEventListener("input", () => {
    named = name.value !== "";
  });
  const region = regionFields(regions);
  const variables = variableFields();

  const script = scriptFields({
    signal,
    text: examples.find((one) => one.name === "starter.js")?.script_content ?? "",
    variables: () => variables.values(),
    onvalid: (answer) => {
      if (touched) return;
      const { workers: many, duration: long } = answer.options ?? {};
      if (Number.isInteger(many)) workers.value = many;
      const seconds = secondsOf(long);
      if (seconds) duration.value = seconds;
    },
    onfile: (file) => {
      if (!named) name.value = file.replace(/\.[jt]s$/, "");
    },
  });
  variables.onchange = () => script.check();
  if (!named) name.value = "My first test";

  async function startFrom(value) {
    const [kind, of] = [value.slice(0, value.indexOf(":")), value.slice(value.indexOf(":") + 1)];
    if (kind === "example") {
      const example = examples.find((one) => one.name === of);
      if (!example) return;
      touched = false;
      if (!named) name.value = example.title || example.name;
      script.load(example.script_content, example.name);
    } else if (kind === "template") {
      const template = await get(`/templates/${of}`, {}, signal);
      touched = true;
      name.value = template.name;
      workers.value = template.workers;
      duration.value = template.duration_seconds;
      region.choose(template.region);
      script.load(template.script_content, "script.js");
    }
  }
  // A test that has run, to be changed and run again.
  async function repeat(id) {
    const path = `/tests/${encodeURIComponent(id)}`;
    const [test, kept] = await Promise.all([get(path, {}, signal), get(`${path}/files`, {}, signal)]);
    touched = named = true;
    name.value = test.name;
    workers.value = test.workers;
    duration.value = test.duration_seconds;
    region.choose(test.region);
    for (const key of kept.env) variables.add(key);
    const main = kept.files.find((one) => one.path === kept.entry);
    script.load(main.content, kept.entry, kept.files.filter((one) => one !== main).map(fileOf));
  }
  const from = h(
    "select",
    { name: "from", onchange: () => startFrom(from.value).catch((error) => script.say(error.message)) },
    h("option", { value: "" }, "Choose …"),
    h("optgroup", { label: "Examples" }, examples.map((one) => h("option", { value: `example:${one.name}` }, one.title || one.name))),
    templates.length ? h("optgroup", { label: "Your templates" }, templates.map((one) => h("option", { value: `template:${one.id}` }, one.name))) : null,
  );

  const problem = h("p", { class: "problem", role: "alert" });
  const starts = checkbox("start", "Start as soon as it is ready", { checked: true });
  const create = h("button", { type: "submit", class: "primary" }, "Create test");
  const keep = h("button", { type: "button" }, "Save as template");

  const element = h(
    "form",
    { class: "two-columns", novalidate: true },
    h("div", { class: "main-column" }, section("Script", field("Start from", from), script.element)),
    h(
      "div",
      { class: "side-column" },
      section("Test",
        field("Name", name),
        h("div", { class: "pair" },
          field("Workers", workers, quota ? `Virtual users, up to ${format.count(quota.workers_limit)}` : "Virtual users"),
          field("Seconds", duration, quota ? `Duration, up to ${format.duration(quota.duration_seconds_limit)}` : "Duration")),
        region.element),
      section("Variables", h("p", { class: "hint" }, "The script reads them from __ENV."), variables.element),
      h("div", { class: "submit" }, starts, problem, h("div", { class: "actions" }, keep, create)),
    ),
  );

  const busy = async (button, work) => {
    if (button.disabled) return;
    set(problem);
    button.disabled = true;
    try {
      // Workers and duration are those of the script as it stands there now.
      if (!touched) await script.settled();
      const wrong = element.querySelector("input:invalid");
      if (wrong) {
        wrong.focus();
        set(problem, `${element.querySelector(`label[for="${wrong.id}"]`)?.textContent ?? wrong.name}: ${wrong.validationMessage}`);
        return;
      }
      await work();
    } catch (error) {
      if (error.name !== "AbortError") set(problem, error.message);
      if (error.code === "invalid_script") script.check();
    } finally {
      button.disabled = false;
    }
  };

  element.addEventListener("submit", (event) => {
    event.preventDefault();
    busy(create, async () => {
      const body = script.form();
      body.append("name", name.value.trim());
      body.append("workers", workers.value);
      body.append("duration", duration.value);
      if (region.value()) body.append("region", region.value());
      if (starts.querySelector("input").checked) body.append("start", "true");
      const { test_id: id } = await call("POST", "/tests", { body });
      router.go(`/runs/${id}`);
    });
  });
  keep.addEventListener("click", () => busy(keep, async () => {
    if (script.hasFiles()) throw new Error("A template keeps one script; take the other files away first.");
    const made = await post("/templates", {
      name: name.value.trim(),
      script_content: script.text(),
      workers: number(new FormData(element), "workers"),
      duration_seconds: number(new FormData(element), "duration"),
      region: region.value() || undefined,
    });
    done(`Saved as the template ${made.name}.`);
  }));

  const wanted = query.get("template");
  if (wanted) await startFrom(`template:${wanted}`);
  const before = query.get("test");
  if (before) await repeat(before);
  script.check();
  return [heading("New test", { back: { href: "/runs", words: "Runs" } }), element];
}

async function exampleScripts(signal) {
  const answer = await fetch(new URL("../examples.json", import.meta.url), { signal });
  return answer.ok ? answer.json() : [];
}

function fileOf({ path, encoding, content }) {
  const bytes = encoding === "base64" ? Uint8Array.from(atob(content), (one) => one.charCodeAt(0)) : content;
  return new File([bytes], path);
}

function secondsOf(value) {
  if (typeof value === "number") return Math.round(value) || null;
  const match = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(value ?? "");
  if (!match) return null;
  return Number(match[1] ?? 0) * 3600 + Number(match[2] ?? 0) * 60 + Number(match[3] ?? 0) || null;
}

// Names and values for __ENV, a row each.
function variableFields() {
  const rows = h("div", { class: "rows" });
  const fields = {
    onchange: () => {},
    element: h("div", null, rows, h("button", { type: "button", class: "quiet", onclick: () => add().focus() }, "Add a variable")),
    values: () =>
      [...rows.children]
        .map((row) => [...row.querySelectorAll("input")].map((one) => one.value))
        .filter(([key]) => VARIABLE.test(key)),
  };
  function add(given = "") {
    const key = input("", { value: given, "aria-label": "Name of the variable", placeholder: "BASE_URL", pattern: VARIABLE.source, title: "Letters, digits and _, not beginning with a digit" });
    const value = input("", { "aria-label": "Value of the variable", placeholder: "https://…" });
    const row = h("div", { class: "row" }, key, value, h("button", {
      type: "button",
      class: "icon",
      "aria-label": "Remove the variable",
      onclick: () => {
        row.remove();
        fields.onchange();
      },
    }, "×"));
    for (const one of [key, value]) one.addEventListener("change", () => fields.onchange());
    rows.append(row);
    return key;
  }
  fields.add = add;
  return fields;
}
