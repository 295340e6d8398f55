// The list of runs.

import { get } from "../client.js";
import { debounced, h, repeated, set } from "../dom.js";
import * as format from "../format.js";
import { heading, empty } from "../parts/panel.js";
import { failed } from "../parts/notice.js";
import { input, select } from "../parts/form.js";
import { spark } from "../parts/spark.js";
import { ACTIVE, badge } from "../parts/status.js";
import { pager, table } from "../parts/table.js";

const PAGE = 20;
const REFRESH_MILLISECONDS = 4000;
const MOST_COMPARED = 10;
const FILTERS = [
  ["", "All statuses"],
  ["active", "Waiting or running"],
  ["completed", "Completed"],
  ["failed", "Failed"],
  ["stopped", "Stopped"],
  ["cancelled", "Cancelled"],
];

export async function show({ query, signal, router, title }) {
  title("Runs");
  const filter = { status: query.get("status") ?? "", search: query.get("search") ?? "" };
  const cursors = [null];
  let page = 0;
  let found = null;
  const chosen = new Map();
  const trends = new Map();

  const list = h("div", { "aria-live": "off" });
  const choice = h("div", { class: "choice-bar", role: "region", "aria-label": "Comparison" });
  const search = input("search", { type: "search", "aria-label": "Search by name", placeholder: "Search by name", value: filter.search });
  const status = select("status", FILTERS, filter.status, { "aria-label": "Status" });

  const changed = () => {
    filter.search = search.value.trim();
    filter.status = status.value;
    cursors.length = 1;
    page = 0;
    const address = new URLSearchParams(Object.entries(filter).filter(([, value]) => value));
    history.replaceState(null, "", `/runs${address.size ? `?${address}` : ""}`);
    load().catch(failed);
  };
  search.addEventListener("input", debounced(300, changed));
  status.addEventListener("change", changed);

  async function load() {
    const asked = { ...filter };
    const answer = await get("/tests", {
      limit: PAGE,
      cursor: cursors[page],
      search: asked.search,
      status: asked.status === "active" ? ACTIVE : asked.status,
    }, signal);
    if (asked.search !== filter.search || asked.status !== filter.status) return; // a later one is on its way
    found = answer;
    cursors[page + 1] = found.next_cursor;
    draw();
    await draw.trends();
  }

  function draw() {
    if (!found.total && !filter.search && !filter.status) {
      set(list, empty(
        "No runs yet",
        "Write a script or start from an example: you see requests, latencies and errors while it runs.",
        h("a", { class: "button primary", href: "/new" }, "Create the first test"),
      ));
      return;
    }
    const focused = document.activeElement?.dataset?.test;
    set(
      list,
      table("Runs", columns(), found.tests, { rowHeader: 1, empty: "No run fits these filters." }),
      pager({
        total: found.total,
        shown: { limit: PAGE, count: found.tests.length },
        page,
        hasNext: Boolean(found.next_cursor),
        go: (to) => {
          page = to;
          load().catch(failed);
        },
      }),
    );
    if (focused) list.querySelector(`[data-test="${CSS.escape(focused)}"]`)?.focus();
  }

  draw.trends = async () => {
    const missing = found.tests.filter((test) => test.metrics && !trends.has(test.id)).map((test) => test.id);
    if (!missing.length) return;
    const { sparklines } = await get("/analytics/sparklines", { test_ids: missing.join(",") }, signal);
    for (const one of sparklines) trends.set(one.test_id, one.rps);
    draw();
  };

  function columns() {
    return [
      { title: "Compare", hidden: true, class: "tick", value: (test) => tick(test) },
      {
        title: "Run",
        value: (test) => [
          h("a", { href: `/runs/${test.id}` }, test.name),
          h("small", null, [format.plural(test.workers, "worker"), format.duration(test.duration_seconds), format.regions(test.region)].join(" · ")),
        ],
      },
      { title: "Status", value: (test) => badge(test.status, test.paused) },
      { title: "Rate", number: true, value: (test) => format.rate(test.metrics?.rps) },
      { title: "p95", number: true, value: (test) => format.milliseconds(test.metrics?.p95_latency_ms) },
      {
        title: "Errors",
        number: true,
        value: (test) => h("span", { class: test.metrics?.error_rate > 0 ? "bad-text" : null }, format.percent(test.metrics?.error_rate)),
      },
      { title: "Requests/s", class: "trend", value: (test) => trend(test) },
      { title: "Created", value: (test) => h("time", { datetime: test.created_at, title: format.exactTime(test.created_at) }, format.ago(test.created_at)) },
    ];
  }

  function trend(test) {
    const values = trends.get(test.id);
    if (values?.length) return spark(values, "Requests/s over the run");
    if (test.status === "running" && test.started_at) {
      const share = Math.min(1, (Date.now() - new Date(test.started_at)) / 1000 / test.duration_seconds);
      return h("progress", { max: 1, value: share, "aria-label": `About ${format.percent(share)} of its time` });
    }
    return format.NOTHING;
  }

  function tick(test) {
    const box = h("input", {
      type: "checkbox",
      "aria-label": `Compare ${test.name}`,
      "data-test": test.id,
      checked: chosen.has(test.id),
      disabled: !test.metrics,
      onchange: () => {
        if (box.checked) chosen.set(test.id, test.name);
        else chosen.delete(test.id);
        compare();
      },
    });
    return box;
  }

  function compare() {
    set(choice, chosen.size === 0 ? null : [
      h("span", null, `${format.plural(chosen.size, "run")} chosen`),
      h("button", {
        type: "button",
        class: "primary",
        disabled: chosen.size < 2 || chosen.size > MOST_COMPARED,
        onclick: () => router.go(`/compare?ids=${[...chosen.keys()].join(",")}`),
      }, chosen.size < 2 ? "Choose one more to compare" : chosen.size > MOST_COMPARED ? `At most ${MOST_COMPARED}` : "Compare"),
      h("button", { type: "button", class: "quiet", onclick: () => {
        chosen.clear();
        compare();
        draw();
      } }, "Clear"),
    ]);
  }

  await load();
  // The list itself, as long as there is something in it that changes.
  setTimeout(() => repeated(REFRESH_MILLISECONDS, signal, async () => {
    if (!found.tests.some((test) => ACTIVE.includes(test.status)) || list.querySelector("input:focus")) return;
    await load().catch(() => {});
  }), REFRESH_MILLISECONDS);

  return [
    heading("Runs", { actions: [h("a", { class: "button primary narrow", href: "/new" }, "New test")] }),
    h("div", { class: "filters", role: "search" }, search, status),
    choice,
    list,
  ];
}
