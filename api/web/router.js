// The page's addresses: which module shows what, and the way from one to the other.

const NAMES = /:(\w+)/g;

// routes: [[pattern, load]]; `load` returns the module of a page.
export class Router {
  constructor(routes, show) {
    this.routes = routes.map(([pattern, load]) => [
      new RegExp(`^${pattern.replace(NAMES, "(?<$1>[^/]+)")}/?$`),
      load,
    ]);
    this.show = show;
    window.addEventListener("popstate", () => this.follow());
    document.addEventListener("click", (event) => this.clicked(event));
  }

  go(address, { replace = false } = {}) {
    history[replace ? "replaceState" : "pushState"](null, "", address);
    this.follow();
  }

  // Show what the present address names.
  follow() {
    for (const [pattern, load] of this.routes) {
      const found = pattern.exec(location.pathname);
      if (found) {
        const parameters = Object.fromEntries(
          Object.entries(found.groups ?? {}).map(([name, value]) => [name, decoded(value)]),
        );
        this.show(load, parameters, new URLSearchParams(location.search));
        return;
      }
    }
    this.show(null, {}, new URLSearchParams());
  }

  // Links inside the page are followed without loading it again.
  clicked(event) {
    if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
    if (!link || link.target || link.hasAttribute("download") || link.dataset.outside !== undefined) return;
    if (link.origin !== location.origin || link.getAttribute("href").startsWith("#")) return;
    event.preventDefault();
    if (link.href !== location.href) this.go(link.href);
    else this.follow();
  }
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
