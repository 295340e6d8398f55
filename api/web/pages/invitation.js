// What the link in an invitation's mail leads to.

import { call } from "../client.js";
import { h } from "../dom.js";
import * as format from "../format.js";
import { field, form, input } from "../parts/form.js";
import * as session from "../session.js";

export async function show({ parameters, router, title }) {
  title("Invitation");
  const path = `/invites/${encodeURIComponent(parameters.token)}`;
  let invitation;
  try {
    invitation = await call("GET", path, { credential: "" });
  } catch (error) {
    if (error.status !== 404) throw error;
    return h("div", { class: "door" },
      h("h1", { tabindex: "-1" }, "This invitation is over"),
      h("p", { class: "lead" }, "It was accepted, taken back, sent again with another link, or it has expired. Ask who invited you for a new one."),
      h("a", { class: "button", href: "/sign-in" }, "Sign in"));
  }
  const accept = form(
    {
      action: "Join",
      submit: async (data) => {
        const body = { name: data.get("name"), password: data.get("password") };
        const { token } = await call("POST", `${path}/accept`, { body, credential: "" });
        session.keep(token);
        router.go("/runs", { replace: true });
      },
    },
    field("Your name", input("name", { required: true, maxlength: 200, autocomplete: "name" })),
    field("Password", input("password", { type: "password", required: true, minlength: 8, autocomplete: "new-password" }), "At least 8 characters"),
  );
  const by = invitation.invited_by ? `${invitation.invited_by} invites you` : "You are invited";
  return h("div", { class: "door" },
    h("div", { class: "logo large", "aria-hidden": "true" }),
    h("h1", { tabindex: "-1" }, `Join ${invitation.organization}`),
    h("p", { class: "lead" }, `${by} to Fusillade as ${invitation.role}, with the address ${invitation.email}. The invitation expires ${format.ago(invitation.expires_at)}.`),
    h("div", { class: "panel" }, accept));
}
