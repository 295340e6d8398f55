// Who is signed in. The token lives in this tab alone and goes when the tab is closed.

const TOKEN = "fusillade.token";

export function token() {
  return sessionStorage.getItem(TOKEN) ?? "";
}

export function keep(credential) {
  sessionStorage.setItem(TOKEN, credential);
}

export function forget() {
  sessionStorage.removeItem(TOKEN);
}

// API keys are the work of their owner's settings; only the token of a login can be given back.
export function isKey() {
  return token().startsWith("fusi_");
}
