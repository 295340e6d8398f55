// Sign in with a password or with an API key.

import * as client from "../client.js";
import { h, set } from "../dom.js";
import { field, form, input } from "../parts/form.js";
import * as session from "../session.js";

export function show({ router, query, title }) {
  title("Sign in");
  const next = inside(query.get("next"));

  const withPassword = form(
    {
      action: "Sign in",
      submit: async (data) => {
        const body = { email: data.get("email"), password: data.get("password") };
        const { token } = await client.call("POST", "/auth/login", { body, credential: "" });
        session.keep(token);
        router.go(next, { replace: true });
      },
    },
    field("E-mail", input("email", { type: "email", autocomplete: "username", required: true })),
    field("Password", input("password", { type: "password", autocomplete: "current-password", required: true })),
  );
  const withKey = form(
    {
      action: "Sign in with the key",
      submit: async (data) => {
        const key = String(data.get("key")).trim();
        try {
          await client.call("GET", "/me", { credential: key });
        } catch (error) {
          throw error.code === "invalid_auth" ? new Error("This API key is not known, or it has expired.") : error;
        }
        session.keep(key);
        router.go(next, { replace: true });
      },
    },
    field("API key", input("key", { type: "password", required: true, placeholder: "fusi_…" }), "You can do what its scopes allow."),
  );

  const place = h("div");
  const choose = (element) => {
    set(place, element);
    for (const [button, of] of buttons) button.setAttribute("aria-pressed", String(of === element));
  };
  const buttons = [
    [h("button", { type: "button", onclick: () => choose(withPassword) }, "Password"), withPassword],
    [h("button", { type: "button", onclick: () => choose(withKey) }, "API key"), withKey],
  ];
  choose(withPassword);
  return h(
    "div",
    { class: "door" },
    h("div", { class: "logo large", "aria-hidden": "true" }),
    h("h1", { tabindex: "-1" }, "Sign in to Fusillade"),
    h("p", { class: "lead" }, "Load tests in JavaScript, run by as many machines as they need."),
    h("div", { class: "panel" },
      h("div", { class: "segments", role: "group", "aria-label": "Sign in with" }, buttons.map(([button]) => button)),
      place),
    h("p", { class: "hint" }, "The first administrator's password was printed when the platform started; it is kept in admin.json in its data directory."),
  );
}

// Where to go afterwards; nowhere else than on this page.
function inside(next) {
  return next && /^\/(?![/\\])/.test(next) ? next : "/runs";
}
