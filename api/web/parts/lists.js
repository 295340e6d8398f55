// A list of the API that comes in pages, with its heading and what stands there while it is empty.

import { get } from "../client.js";
import { h, set } from "../dom.js";
import { failed } from "./notice.js";
import { pager, table } from "./table.js";

const PAGE = 20;

// `path` and `name` of the list in the answer; `none` stands in place of an empty one.
// Returns { element, load() }.
export async function pages({ path, name, caption, columns, none, signal, rowHeader = 0 }) {
  const element = h("div");
  const cursors = [null];
  let page = 0;

  async function load() {
    const answer = await get(path, { limit: PAGE, cursor: cursors[page] }, signal);
    cursors[page + 1] = answer.next_cursor;
    const rows = answer[name];
    if (!rows.length && page > 0) {
      page -= 1;
      await load();
      return;
    }
    set(element, answer.total ? [
      table(caption, columns, rows, { rowHeader }),
      pager({
        total: answer.total,
        shown: { limit: PAGE, count: rows.length },
        page,
        hasNext: Boolean(answer.next_cursor),
        go: (to) => {
          page = to;
          load().catch(failed);
        },
      }),
    ] : none);
  }

  await load();
  return { element, load };
}
