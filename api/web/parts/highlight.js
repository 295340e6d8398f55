// JavaScript in colours: a scanner that knows comments, strings, templates, numbers and words.

const KEYWORDS = new Set(
  ("as async await break case catch class const continue debugger default delete do else enum export extends false finally for from function get if import in instanceof interface let new null of return set static super switch this throw true try type typeof undefined var void while with yield").split(" "),
);
const BUILTINS = new Set(
  ("http ws sse check group sleep options metrics console JSON Math Date Object Array String Number RegExp Map Set Promise open html crypto encoding SharedArray SharedCSV sequentialId randomInt __ENV __VU __ITER __ITERATION __WORKER_ID __WORKER_STATE setup teardown handleSummary").split(" "),
);
const TOKEN = /(\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|("(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?|`(?:\\[\s\S]|[^`\\])*`?)|(\b(?:0[xXoObB][\da-fA-F_]+|\d[\d_]*(?:\.[\d_]*)?(?:[eE][+-]?\d+)?)n?\b)|([A-Za-z_$][\w$]*)/g;
const MOST_CHARACTERS = 200_000;

// Pieces [kind, text] that are the whole text when they are put together; kind "" is plain.
export function pieces(text) {
  if (text.length > MOST_CHARACTERS) return [["", text]];
  const found = [];
  let end = 0;
  for (const match of text.matchAll(TOKEN)) {
    const [all, comment, string, numeral, word] = match;
    const kind = comment ? "comment" : string ? "string" : numeral ? "numeral" : kindOf(word, text, match.index);
    if (!kind) continue;
    if (match.index > end) found.push(["", text.slice(end, match.index)]);
    found.push([kind, all]);
    end = match.index + all.length;
  }
  if (end < text.length) found.push(["", text.slice(end)]);
  return found;
}

function kindOf(word, text, index) {
  const property = text[index - 1] === "." && text[index - 2] !== ".";
  if (property) return "";
  if (KEYWORDS.has(word)) return "keyword";
  return BUILTINS.has(word) ? "builtin" : "";
}
