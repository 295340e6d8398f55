// The frame around all pages: who is signed in, where one can go, and what is shown.

import * as client from "./client.js";
import { h, set } from "./dom.js";
import * as notice from "./parts/notice.js";
import { loading, problem } from "./parts/panel.js";
import { Router } from "./router.js";
import * as session from "./session.js";

// Pages are loaded when they are first asked for.
const ROUTES = [
  ["/sign-in", () => import("./pages/sign-in.js")],
  ["/invites/:token", () => import("./pages/invitation.js")],
  ["/", () => import("./pages/runs.js")],
  ["/runs", () => import("./pages/runs.js")],
  ["/runs/:id", () => import("./pages/run.js")],
  ["/new", () => import("./pages/new.js")],
  ["/compare", () => import("./pages/compare.js")],
  ["/trends", () => import("./pages/trends.js")],
  ["/schedules", () => import("./pages/schedules.js")],
  ["/schedules/:id", () => import("./pages/schedule.js")],
  ["/templates", () => import("./pages/templates.js")],
  ["/templates/:id", () => import("./pages/template.js")],
  ["/webhooks", () => import("./pages/webhooks.js")],
  ["/webhooks/:id", () => import("./pages/webhook.js")],
  ["/keys", () => import("./pages/keys.js")],
  ["/team", () => import("./pages/team.js")],
  ["/account", () => import("./pages/account.js")],
];
const LINKS = [
  ["/runs", "Runs"],
  ["/trends", "Trends"],
  ["/schedules", "Schedules"],
  ["/templates", "Templates"],
  ["/webhooks", "Webhooks"],
  ["/keys", "API keys"],
  ["/team", "Team"],
  ["/account", "Account"],
];
const RELOADED = "fusillade.reloaded";
const OPEN = ["/sign-in", "/invites/"];

const main = h("main", { id: "main", tabindex: "-1" });
const menu = h("nav", { id: "menu", "aria-label": "Main" });
const toggle = h("button", { type: "button", class: "menu", "aria-expanded": "false", "aria-controls": "menu", onclick: () => unfold() }, "Menu");
const bar = h(
  "header",
  { class: "bar" },
  h("a", { class: "brand", href: "/runs" }, h("span", { class: "logo", "aria-hidden": "true" }), "Fusillade"),
  toggle,
  menu,
);
let leaving = new AbortController();
let shownPath = "";

document.body.append(
  h("a", { class: "skip", href: "#main", onclick: (event) => {
    event.preventDefault();
    main.focus();
  } }, "Skip to the content"),
  bar,
  main,
);
notice.mount(document.body);

export const router = new Router(ROUTES, show);
client.whenSignedOut(() => {
  if (!session.token()) return;
  session.forget();
  notice.failed("Your session has ended. Sign in to go on.");
  askToSignIn();
});

async function show(load, parameters, query) {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const open = OPEN.some((prefix) => location.pathname.startsWith(prefix));
  if (!session.token() && !open) {
    askToSignIn();
    return;
  }
  document.body.classList.toggle("signed-in", Boolean(session.token()) && !open);
  unfold(false);
  links();
  const here = location.href;
  const moved = shownPath !== "" && location.pathname !== shownPath;
  shownPath = location.pathname;
  set(main, loading());
  document.title = "Fusillade";
  try {
    const page = load && (await load());
    if (signal.aborted) return;
    if (!page) throw new client.ApiError(`There is nothing at ${location.pathname}.`, "not_found", 404);
    const context = { parameters, query, signal, router, title };
    const content = await page.show(context);
    if (signal.aborted) return;
    set(main, content);
    sessionStorage.removeItem(RELOADED);
  } catch (error) {
    if (signal.aborted || error.name === "AbortError") return;
    if (error instanceof TypeError && /module/i.test(error.message) && sessionStorage.getItem(RELOADED) !== here) {
      // The server has a newer page than this one, unless it is so again.
      sessionStorage.setItem(RELOADED, here);
      location.reload();
      return;
    }
    title("Problem");
    if (!(error instanceof client.ApiError)) console.error(error);
    const words = error instanceof client.ApiError ? error : new client.ApiError("The page made an error; load it again.", "internal_error", 500);
    set(main, problem(words, () => router.follow()));
  }
  if (moved) {
    window.scrollTo(0, 0);
    main.querySelector("h1")?.focus({ preventScroll: true });
  }
}

// What the tab is called; told to screen readers as well, since no page was loaded.
function title(words) {
  document.title = `${words} · Fusillade`;
  notice.announce(words);
}

function askToSignIn() {
  const next = location.pathname + location.search;
  const known = next !== "/" && next !== "/runs" && !next.startsWith("/sign-in");
  router.go(known ? `/sign-in?next=${encodeURIComponent(next)}` : "/sign-in", { replace: true });
}

function links() {
  if (!session.token()) {
    set(menu);
    return;
  }
  const here = location.pathname === "/" ? "/runs" : location.pathname;
  const link = ([href, words], more) =>
    h("a", { href, class: more, "aria-current": here === href || here.startsWith(`${href}/`) ? "page" : null }, words);
  set(
    menu,
    link(["/new", "New test"], "button primary"),
    LINKS.map((one) => link(one)),
    h("span", { class: "grow" }),
    h("a", { href: "/docs", "data-outside": "", class: "minor" }, "API reference"),
    h("button", { type: "button", class: "minor", onclick: signOut }, "Sign out"),
  );
}

function unfold(open = toggle.getAttribute("aria-expanded") !== "true") {
  toggle.setAttribute("aria-expanded", String(open));
  menu.classList.toggle("open", open);
}

async function signOut() {
  try {
    if (!session.isKey()) await client.post("/auth/logout");
  } catch (error) {
    if (error.code !== "invalid_auth") notice.failed(error);
  }
  session.forget();
  router.go("/sign-in");
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && menu.classList.contains("open")) {
    unfold(false);
    toggle.focus();
  }
});

router.follow();
