// A tolerant HTML parser: text in, a tree of elements out, whatever the text is.
//
// What authors leave out (end tags of p, li, td ..., html, head, body, tbody) is put in as browsers
// do. No step looks twice at what it has seen, so that the time grows with the length of the text
// alone: which elements are open is counted by name, not searched for.
"use strict";
(function (fu) {
  const set = (words) => new Set(words.split(" "));

  const VOID = set("area base br col embed hr img input link meta param source track wbr");
  const RAW = set("script style xmp iframe noembed noframes");
  const RAW_WITH_ENTITIES = set("textarea title");
  const IN_HEAD = set("base link meta noscript script style template title");
  const CLOSES_P = set(
    "address article aside blockquote center details dialog dir div dl fieldset figcaption figure " +
      "footer form h1 h2 h3 h4 h5 h6 header hr main menu nav ol p pre section summary table ul",
  );
  const SECTIONS = ["thead", "tbody", "tfoot", "caption", "colgroup"];
  // By start tag: which open elements end where one of these begins.
  const ENDS = {
    __proto__: null,
    a: ["a"],
    button: ["button"],
    dd: ["dd", "dt"],
    dt: ["dd", "dt"],
    li: ["li"],
    optgroup: ["option", "optgroup"],
    option: ["option"],
    tbody: SECTIONS,
    td: ["td", "th"],
    tfoot: SECTIONS,
    th: ["td", "th"],
    thead: SECTIONS,
    tr: ["tr", "caption", "colgroup"],
  };
  // An end tag reaches no further than to the next border: those of a table's parts to the table,
  // those of a list's items to the list, all others to the cell of a table.
  const BORDERS = [
    set("table"),
    set("ul ol menu dl table td th caption"),
    set("table td th caption"),
  ];
  const TABLE = 0;
  const LIST = 1;
  const OTHER = 2;
  const REACH = { __proto__: null, li: LIST, dd: LIST, dt: LIST };
  for (const name of ["tr", "td", "th", ...SECTIONS]) REACH[name] = TABLE;

  class Element {
    constructor(name, attributes, parent, order, source) {
      this.name = name;
      this.attributes = attributes; // Map or null
      this.parent = parent;
      this.children = []; // elements, and text as strings
      this.elements = []; // of the children
      this.position = 0; // among the elements of its parent
      this.order = order; // in the document, which lists all elements
      this.end = order; // the order of its last descendant
      this.source = source; // the text of the whole document without its tags,
      this.textFrom = source.length; // of which this element has a part
      this.textTo = source.length;
    }

    get text() {
      return this.source.text.slice(this.textFrom, this.textTo);
    }
  }

  // ---- character references ------------------------------------------------------------------

  const ENTITIES = new Map([
    ["quot", 34],
    ["amp", 38],
    ["apos", 39],
    ["lt", 60],
    ["gt", 62],
    ["OElig", 338],
    ["oelig", 339],
    ["Scaron", 352],
    ["scaron", 353],
    ["Yuml", 376],
    ["fnof", 402],
    ["circ", 710],
    ["tilde", 732],
    ["thetasym", 977],
    ["upsih", 978],
    ["piv", 982],
  ]);
  // Names of characters that follow one another; a dot stands for one without a name.
  const RUNS = {
    160:
      "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg " +
      "plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest " +
      "Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute " +
      "Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml " +
      "Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc " +
      "euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash " +
      "ugrave uacute ucirc uuml yacute thorn yuml",
    913:
      "Alpha Beta Gamma Delta Epsilon Zeta Eta Theta Iota Kappa Lambda Mu Nu Xi Omicron Pi Rho . " +
      "Sigma Tau Upsilon Phi Chi Psi Omega",
    945:
      "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho " +
      "sigmaf sigma tau upsilon phi chi psi omega",
    8194: "ensp emsp . . . . . thinsp . . zwnj zwj lrm rlm . . . ndash mdash . . . lsquo rsquo",
    8218: "sbquo . ldquo rdquo bdquo . dagger Dagger bull . . . hellip . . . . . . . . . permil",
    8242: "prime Prime . . . . . lsaquo rsaquo . . . oline",
    8260: "frasl",
    8364: "euro",
    8482: "trade",
    8592: "larr uarr rarr darr harr",
    8656: "lArr uArr rArr dArr hArr",
    8704: "forall . part exist . empty . nabla isin notin . ni . . . prod . sum minus",
    8730: "radic . . prop infin . ang . . . . . . and or cap cup int",
    8800: "ne equiv . . le ge",
    8834: "sub sup nsub . sube supe",
    9824: "spades . . clubs . hearts diams",
  };
  for (const [first, names] of Object.entries(RUNS)) {
    names.split(" ").forEach((name, i) => {
      if (name !== ".") ENTITIES.set(name, Number(first) + i);
    });
  }
  // What numbers from 128 on mean, which Windows has spread.
  const WINDOWS =
    "€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ";
  const REFERENCE = /&(?:#x([0-9a-f]+)|#(\d+)|([a-z][a-z0-9]*))(;?)/gi;

  function decoded(text, inAttribute) {
    if (!text.includes("&")) return text;
    return text.replace(REFERENCE, (whole, hex, decimal, name, end) => {
      if (name === undefined) return character(hex === undefined ? Number(decimal) : parseInt(hex, 16));
      const code = ENTITIES.get(name);
      // Old pages leave the semicolon out; in an attribute that may be a query's `&copy=`.
      if (code === undefined || (end === "" && (inAttribute || code > 255))) return whole;
      return String.fromCharCode(code);
    });
  }

  function character(code) {
    if (code >= 128 && code < 160) return WINDOWS[code - 128];
    if (code === 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return "\ufffd";
    return String.fromCodePoint(code);
  }

  // ---- the tree ------------------------------------------------------------------------------

  class Builder {
    constructor() {
      this.source = { text: "", length: 0 };
      this.root = new Element("#document", null, null, 0, this.source);
      this.all = [this.root];
      this.open = [];
      this.counts = BORDERS.map(() => [new Map()]); // of open elements up to the border
      this.head = null;
      this.body = null;
      this.afterHead = false;
      this.html = this.push("html", null); // of which nobody is the parent
      this.root.children.push(this.html);
      this.root.elements.push(this.html);
    }

    get top() {
      return this.open[this.open.length - 1];
    }

    push(name, attributes) {
      const parent = this.open.length > 0 ? this.top : null;
      const element = new Element(name, attributes, parent, this.all.length, this.source);
      this.all.push(element);
      if (parent !== null) {
        element.position = parent.elements.length;
        parent.elements.push(element);
        parent.children.push(element);
      }
      if (VOID.has(name)) return element;
      this.open.push(element);
      this.count(name, 1);
      for (let i = 0; i < BORDERS.length; i++) {
        if (BORDERS[i].has(name)) this.counts[i].push(new Map());
      }
      return element;
    }

    pop() {
      const element = this.open.pop();
      element.end = this.all.length - 1;
      element.textTo = this.source.length;
      for (let i = 0; i < BORDERS.length; i++) {
        if (BORDERS[i].has(element.name)) this.counts[i].pop();
      }
      this.count(element.name, -1);
      return element.name;
    }

    within(name) {
      const maps = this.counts[REACH[name] ?? OTHER];
      return maps[maps.length - 1];
    }

    count(name, step) {
      const counts = this.within(name);
      counts.set(name, (counts.get(name) ?? 0) + step);
    }

    // Ends the nearest open element of that name, if there is one within reach.
    close(name) {
      if (name === "table") {
        if (this.counts[TABLE].length === 1) return;
      } else if (!(this.within(name).get(name) > 0)) return;
      while (this.pop() !== name);
    }

    text(content) {
      if (content === "") return;
      if (this.body === null && this.top === this.html) {
        if (!/[^\s]/.test(content)) return;
        this.needBody();
      } else if (this.top === this.head) {
        if (/[^\s]/.test(content)) this.needBody();
      }
      this.top.children.push(content);
      this.source.text += content;
      this.source.length += content.length;
    }

    needBody() {
      if (this.body !== null) return;
      while (this.open.length > 1) this.pop();
      if (this.head === null) {
        this.head = this.push("head", null);
        this.pop();
      }
      this.body = this.push("body", null);
    }

    start(name, attributes, selfClosing) {
      switch (name) {
        case "html":
          return merge(this.html, attributes);
        case "body":
          this.needBody();
          return merge(this.body, attributes);
        case "head":
          if (this.head === null && this.body === null) this.head = this.push("head", attributes);
          return undefined;
      }
      if (this.body === null && (this.top === this.html || this.top === this.head)) {
        if (!IN_HEAD.has(name) || this.afterHead) this.needBody();
        else if (this.head === null) this.head = this.push("head", null);
      }
      if (CLOSES_P.has(name)) this.close("p");
      for (const other of ENDS[name] ?? []) this.close(other);
      if (name === "tr" && this.top.name === "table") this.push("tbody", null);
      else if ((name === "td" || name === "th") && this.counts[TABLE].length > 1) {
        if (this.top.name === "table") this.push("tbody", null);
        if (SECTIONS.includes(this.top.name)) this.push("tr", null);
      }
      const element = this.push(name, attributes);
      // Only what is drawn ends itself: <path/>, but not <div/>.
      if (selfClosing && !VOID.has(name) && this.isForeign()) this.pop();
      return element;
    }

    isForeign() {
      return this.within("svg").get("svg") > 0 || this.within("math").get("math") > 0;
    }

    end(name) {
      if (name === "br") this.start("br", null, false);
      else if (name === "p" && !(this.within("p").get("p") > 0)) {
        this.start("p", null, false);
        this.pop();
      } else if (name === "head") {
        if (this.top === this.head) this.pop();
        this.afterHead = true;
      } else if (name !== "html" && name !== "body") this.close(name);
    }

    finish() {
      this.needBody();
      while (this.open.length > 0) this.pop();
      this.root.end = this.all.length - 1;
      this.root.textTo = this.source.length;
      return this.all;
    }
  }

  function merge(element, attributes) {
    if (attributes === null) return element;
    element.attributes ??= new Map();
    for (const [name, value] of attributes) {
      if (!element.attributes.has(name)) element.attributes.set(name, value);
    }
    return element;
  }

  // ---- text ----------------------------------------------------------------------------------

  const TAG_NAME = /[a-z][^\s/>]*/iy;
  const ATTRIBUTE = /[\s/]*([^\s>/][^\s=>/]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]*)))?/y;
  const END_OF_TAG = /[\s/]*>/y;

  // All elements of a document in its order; the first is its root, which holds <html>.
  function parse(text) {
    const builder = new Builder();
    let at = 0;
    while (at < text.length) {
      const next = text.indexOf("<", at);
      if (next < 0) break;
      if (next > at) builder.text(decoded(text.slice(at, next), false));
      const follows = text[next + 1];
      if (follows === "!" || follows === "?") {
        at = afterComment(text, next);
        continue;
      }
      const isEnd = follows === "/";
      TAG_NAME.lastIndex = next + (isEnd ? 2 : 1);
      const match = TAG_NAME.exec(text);
      if (match === null) {
        at = next + 1;
        if (isEnd) at = afterComment(text, next);
        else builder.text("<");
        continue;
      }
      at = TAG_NAME.lastIndex;
      const name = match[0].toLowerCase();
      let attributes = null;
      for (;;) {
        ATTRIBUTE.lastIndex = at;
        const found = ATTRIBUTE.exec(text);
        if (found === null) break;
        at = ATTRIBUTE.lastIndex;
        if (isEnd) continue;
        attributes ??= new Map();
        const key = found[1].toLowerCase();
        if (attributes.has(key)) continue;
        attributes.set(key, decoded(found[2] ?? found[3] ?? found[4] ?? "", true));
      }
      END_OF_TAG.lastIndex = at;
      const end = END_OF_TAG.exec(text);
      if (end === null) {
        // The text ends in the middle of a tag, which then is none.
        at = text.length;
        break;
      }
      at = END_OF_TAG.lastIndex;
      if (isEnd) builder.end(name);
      else {
        builder.start(name, attributes, end[0].endsWith("/>"));
        if (RAW.has(name) || RAW_WITH_ENTITIES.has(name)) at = raw(builder, text, at, name);
      }
    }
    if (at < text.length) builder.text(decoded(text.slice(at), false));
    return builder.finish();
  }

  function afterComment(text, from) {
    const isComment = text.startsWith("<!--", from);
    const end = isComment ? text.indexOf("-->", from + 2) : text.indexOf(">", from);
    return end < 0 ? text.length : end + (isComment ? 3 : 1);
  }

  // The content of an element in which no tags are but its own end.
  function raw(builder, text, at, name) {
    const ending = new RegExp(`</${name}(?=[\\s/>])`, "gi");
    ending.lastIndex = at;
    const found = ending.exec(text);
    const end = found === null ? text.length : found.index;
    const content = text.slice(at, end);
    builder.text(RAW.has(name) ? content : decoded(content, false));
    builder.close(name);
    if (found === null) return end;
    const closed = text.indexOf(">", end);
    return closed < 0 ? text.length : closed + 1;
  }

  fu.parseHTML = parse;
  fu.isRawText = (name) => RAW.has(name);
  fu.isVoid = (name) => VOID.has(name);
})
