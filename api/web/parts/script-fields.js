// A script with its further files, checked while it is written.

import { call } from "../client.js";
import { debounced, h, set, unique } from "../dom.js";
import * as format from "../format.js";
import { editor } from "./editor.js";

const WAIT_MILLISECONDS = 500;
const SCRIPT = /\.[jt]s$/i;

// { element, text(), load(text, name), form(), check(), settled(), hasFiles(), say(words) }.
// `onvalid` gets what the API says of a valid script, `variables` returns [[name, value]].
export function scriptFields({ signal, text = "", variables = () => [], onvalid = () => {}, onfile = () => {}, files: withFiles = true }) {
  const state = unique("state");
  let name = "script.js";
  let files = [];
  let latest = 0;
  let checking = null; // the check of what stands there now

  const verdict = h("div", { class: "verdict", id: state, role: "status", "aria-live": "polite" });
  const problems = h("ul", { class: "problems" });
  const shownFiles = h("ul", { class: "files" });
  const code = editor({ label: "Script", text, describedby: state, onchange: changed });
  const later = debounced(WAIT_MILLISECONDS, check);

  const picker = h("input", { type: "file", accept: ".js,.ts,.mjs,text/javascript", class: "unseen", tabindex: "-1", "aria-hidden": "true", onchange: () => take(picker.files, true) });
  const more = h("input", { type: "file", multiple: true, class: "unseen", tabindex: "-1", "aria-hidden": "true", onchange: () => take(more.files, false) });
  const drop = h(
    "div",
    { class: "drop" },
    h("div", { class: "toolbar" },
      h("button", { type: "button", onclick: () => picker.click() }, "Open a script …"),
      withFiles ? h("button", { type: "button", onclick: () => more.click() }, "Add files …") : null,
      h("span", { class: "hint" }, withFiles ? "or drop files on the editor" : "or drop one on the editor"),
      picker,
      more),
    code.element,
    verdict,
    problems,
    shownFiles,
  );
  drop.addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    drop.classList.add("over");
  });
  drop.addEventListener("dragleave", (event) => {
    if (!drop.contains(event.relatedTarget)) drop.classList.remove("over");
  });
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    take(event.dataTransfer.files, event.dataTransfer.files.length === 1 || !withFiles);
  });

  // The first script replaces the text if it is the only file, everything else comes along.
  async function take(list, first) {
    const taken = [...list];
    picker.value = more.value = "";
    const main = first ? taken.find((file) => SCRIPT.test(file.name)) : null;
    if (first && !main && taken.length && !withFiles) {
      say(`${taken[0].name} is not a script: open a .js or .ts file.`);
      return;
    }
    if (main) {
      load(await main.text(), main.name, files);
      onfile(main.name);
    }
    for (const file of taken) {
      if (file === main) continue;
      files = files.filter((one) => one.name !== file.name).concat(file);
    }
    draw();
    check();
  }

  function draw() {
    set(shownFiles, files.map((file) => h("li", null, h("span", null, file.name, h("small", null, format.bytes(file.size))), h("button", {
      type: "button",
      class: "icon",
      "aria-label": `Remove ${file.name}`,
      onclick: () => {
        files = files.filter((one) => one !== file);
        draw();
        check();
      },
    }, "×"))));
  }

  function changed() {
    checking = null;
    verdict.setAttribute("aria-busy", "true");
    later();
  }

  // `others`: the files that come along.
  function load(content, file, others = []) {
    name = file;
    files = others;
    code.text = content;
    draw();
    check();
  }

  function form() {
    const body = new FormData();
    body.append("script", new File([code.text], name, { type: "text/javascript" }), name);
    for (const file of files) body.append("assets", file, file.name);
    for (const [key, value] of variables()) body.append("env", `${key}=${value}`);
    return body;
  }

  function say(words, kind = "bad") {
    set(verdict, h("span", { class: `${kind}-text` }, words));
  }

  function check() {
    checking = examine();
    return checking;
  }

  // Returns when what stands there has been checked.
  async function settled() {
    let seen;
    do {
      seen = checking ?? check();
      await seen;
    } while (seen !== checking);
  }

  async function examine() {
    const mine = ++latest;
    if (!code.text.trim()) {
      verdict.removeAttribute("aria-busy");
      set(problems);
      code.problems([]);
      say("The script is empty.", "quiet");
      return;
    }
    verdict.setAttribute("aria-busy", "true");
    try {
      const answer = await call("POST", "/tests/validate", { body: form(), signal });
      if (mine !== latest) return;
      tell(answer);
    } catch (error) {
      if (mine === latest && error.name !== "AbortError") {
        set(problems);
        say(error.message);
      }
    } finally {
      if (mine === latest) verdict.removeAttribute("aria-busy");
    }
  }

  function tell(answer) {
    const found = answer.problems.map((one) => ({ severity: "error", line: 0, column: 0, file: "", ...one }));
    const errors = found.filter((one) => one.severity === "error").length;
    code.problems(found.filter((one) => !one.file || one.file === name));
    if (answer.valid) {
      const targets = answer.target_urls.length ? ` Sends to ${answer.target_urls.join(", ")}.` : "";
      set(verdict, h("span", { class: "good-text" }, "✓ The script is valid."), targets);
      onvalid(answer);
    } else say(`✕ ${format.plural(errors, "problem")} in the script.`);
    set(problems, found.map((one) => {
      const place = [one.file && one.file !== name ? one.file : null, one.line ? `line ${one.line}` : null].filter(Boolean).join(", ");
      const jump = one.line && (!one.file || one.file === name);
      return h(
        "li",
        { class: one.severity },
        h("span", { class: "sign", "aria-hidden": "true" }, one.severity === "error" ? "✕" : "!"),
        h("span", null,
          h("span", { class: "unseen" }, `${one.severity}: `),
          place ? [jump ? h("button", { type: "button", class: "link", onclick: () => code.goTo(one.line, one.column) }, place) : h("b", null, place), " "] : null,
          one.message),
      );
    }));
  }

  return { element: drop, text: () => code.text, load, form, check, settled, say, hasFiles: () => files.length > 0 };
}
