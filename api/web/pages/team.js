// The people of the organisation, and who is invited.

import { get, post, remove } from "../client.js";
import { h, set } from "../dom.js";
import * as format from "../format.js";
import { confirm, open } from "../parts/dialog.js";
import { field, form, input, select } from "../parts/form.js";
import { done, failed } from "../parts/notice.js";
import { heading, section } from "../parts/panel.js";
import { mark } from "../parts/status.js";
import { table } from "../parts/table.js";

const ROLES = [["member", "Member"], ["admin", "Admin: also manages the team"], ["owner", "Owner"]];

export async function show({ signal, title }) {
  title("Team");
  const me = await get("/me", {}, signal);
  const manages = me.role !== "member";
  const people = h("div");
  const waiting = h("div");

  async function load() {
    const [{ members }, invites] = await Promise.all([
      get("/team", {}, signal),
      manages ? get("/team/invites", {}, signal).then((answer) => answer.invites) : [],
    ]);
    set(people, table("Members", [
      { title: "Name", value: (one) => [one.name, h("small", null, one.email)] },
      { title: "Role", value: (one) => mark(one.role, "quiet") },
      { title: "Since", value: (one) => format.time(one.created_at) },
      {
        title: "Actions",
        hidden: true,
        value: (one) => (manages && one.id !== me.id ? h("div", { class: "actions" }, h("button", {
          type: "button",
          class: "quiet danger-text",
          "aria-label": `Remove ${one.name}`,
          onclick: () => act("Remove this member?", `${one.name} can sign in no more, and their API keys stop working. Their tests stay.`, "Remove", `/team/${one.id}`),
        }, "Remove")) : h("small", null, one.id === me.id ? "you" : "")),
      },
    ], members));
    set(waiting, manages ? section("Invitations", table("Invitations", [
      { title: "E-mail", value: (one) => one.email },
      { title: "Role", value: (one) => mark(one.role, "quiet") },
      { title: "Expires", value: (one) => h("span", { class: new Date(one.expires_at) < Date.now() ? "bad-text" : null }, format.ago(one.expires_at)) },
      {
        title: "Actions",
        hidden: true,
        value: (one) => h("div", { class: "actions" },
          h("button", { type: "button", "aria-label": `Send the invitation to ${one.email} again`, onclick: () => again(one) }, "Send again"),
          h("button", { type: "button", class: "quiet danger-text", "aria-label": `Cancel the invitation of ${one.email}`, onclick: () => act("Cancel this invitation?", `The link in the mail to ${one.email} stops working.`, "Cancel the invitation", `/team/invites/${one.id}`) }, "Cancel")),
      },
    ], invites, { empty: "Nobody is invited at the moment." })) : null);
  }

  async function act(question, words, action, path) {
    if (!(await confirm(question, words, action))) return;
    try {
      await remove(path);
      done("Done.");
      await load();
    } catch (error) {
      failed(error);
    }
  }

  async function again(one) {
    try {
      await post(`/team/invites/${one.id}/resend`);
      done("The invitation was sent again; the link before stops working.");
      await load();
    } catch (error) {
      failed(error);
    }
  }

  function invite() {
    const shown = open("Invite somebody", form(
      {
        action: "Send invitation",
        cancel: () => shown.close(),
        submit: async (data) => {
          await post("/team/invite", { email: data.get("email"), role: data.get("role") });
          shown.close();
          done("The invitation is on its way.");
          await load();
        },
      },
      field("E-mail", input("email", { type: "email", required: true, maxlength: 254 })),
      field("Role", select("role", me.role === "owner" ? ROLES : ROLES.slice(0, 2), "member")),
    ));
  }

  await load();
  return [
    heading("Team", { lead: me.organization.name, actions: manages ? [h("button", { type: "button", onclick: invite }, "Invite somebody")] : [] }),
    people,
    waiting,
  ];
}
