// Files that the browser saves.

import { send } from "../client.js";
import { h } from "../dom.js";

export function save(name, content, type) {
  const address = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  const link = h("a", { href: address, download: name, "data-outside": "" });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

// A file of the API, which wants the token.
export async function saveFrom(path, name) {
  const answer = await send("GET", path);
  save(name, await answer.blob());
}

// A name for a file, made of what somebody called a test.
export function filename(name, suffix) {
  const plain = name.replace(/[^\p{L}\p{N}._-]+/gu, "-").replace(/^-+|-+$/g, "").slice(0, 60);
  return `${plain || "test"}${suffix}`;
}
