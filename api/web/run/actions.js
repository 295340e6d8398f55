// What can be done with a test, by its state.

import { post, remove } from "../client.js";
import { h } from "../dom.js";
import { confirm } from "../parts/dialog.js";
import { done, failed } from "../parts/notice.js";
import { ENDED } from "../parts/status.js";

// `changed(status)` is called when the API has agreed; `gone()` when the test was deleted.
export function actions(test, { changed, gone }) {
  const ask = (words, path) => async (event) => {
    const button = event.currentTarget;
    button.disabled = true;
    try {
      const answer = await post(`/tests/${test.id}/${path}`);
      done(words);
      changed(answer);
    } catch (error) {
      failed(error);
      button.disabled = false;
    }
  };
  const button = (words, path, said, kind) => h("button", { type: "button", class: kind, onclick: ask(said, path) }, words);
  const found = [];
  if (test.status === "ready") found.push(button("Start", "start", "The test starts.", "primary"));
  if (test.status === "running") {
    found.push(test.paused
      ? button("Resume", "resume", "The test goes on.", "primary")
      : button("Pause", "pause", "The test pauses: iterations under way end."));
    found.push(button("Stop", "stop", "The test stops: iterations under way end.", "danger"));
  }
  if (["provisioning", "ready", "pending"].includes(test.status)) found.push(button("Cancel", "stop", "The test is cancelled.", "danger"));
  if (ENDED.includes(test.status)) {
    found.push(h("a", { class: "button", href: `/new?test=${test.id}` }, "Run again"));
    found.push(h("button", {
      type: "button",
      class: "quiet danger-text",
      onclick: async () => {
        if (!(await confirm("Delete this run?", `${test.name} goes with all its results. This cannot be taken back.`, "Delete"))) return;
        try {
          await remove(`/tests/${test.id}`);
          done("The run was deleted.");
          gone();
        } catch (error) {
          failed(error);
        }
      },
    }, "Delete"));
  }
  return found;
}
