// Requests to the REST API.

import * as session from "./session.js";

const ROOT = "/api/v1";
const MOST_RETRY_SECONDS = 15;

// What the API says is wrong: a sentence, its code, and the HTTP status (0: no answer at all).
export class ApiError extends Error {
  constructor(message, code, status) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

let onSignedOut = () => {};

// Called when the API does not know the token any more.
export function whenSignedOut(work) {
  onSignedOut = work;
}

export const get = (path, query, signal) => call("GET", path, { query, signal });
export const post = (path, body, signal) => call("POST", path, { body, signal });
export const patch = (path, body) => call("PATCH", path, { body });
export const remove = (path) => call("DELETE", path);

// `body` is sent as JSON, or as a form if it is one; `credential` in place of the session's ("" for
// none).
export async function call(method, path, options) {
  const response = await send(method, path, options);
  if (response.status === 204) return null;
  return response.json();
}

// The answer as it came; for files.
export async function send(method, path, { body, query, signal, credential } = {}) {
  const headers = {};
  const sent = credential ?? session.token();
  if (sent) headers.Authorization = `Bearer ${sent}`;
  if (body !== undefined && !(body instanceof FormData)) {
    headers["Content-Type"] = "application/json";
    body = JSON.stringify(body);
  }
  const address = ROOT + path + search(query);
  let response;
  for (let attempt = 0; ; attempt++) {
    try {
      response = await fetch(address, { method, headers, body, signal, cache: "no-store" });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ApiError("The server cannot be reached: check your connection and try again.", "offline", 0);
    }
    const seconds = Number(response.headers.get("Retry-After") ?? 1);
    if (response.status !== 429 || method !== "GET" || attempt || seconds > MOST_RETRY_SECONDS) break;
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  }
  if (response.ok) return response;
  const error = await understood(response);
  // Somebody may have signed in again meanwhile, or this was the password of a form.
  if (error.code === "invalid_auth" && credential === undefined && path !== "/auth/change-password" && sent === session.token()) {
    onSignedOut();
  }
  throw error;
}

async function understood(response) {
  try {
    const { error, code } = await response.json();
    if (typeof error === "string") return new ApiError(error, code, response.status);
  } catch {
    // Not of the API: what stands before it has answered.
  }
  const words = response.status >= 500 ? "The server does not answer at the moment; try again." : `The server answered ${response.status}.`;
  return new ApiError(words, "internal_error", response.status);
}

function search(query) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value === undefined || value === null || value === "") continue;
    for (const one of Array.isArray(value) ? value : [value]) parameters.append(name, one);
  }
  const text = parameters.toString();
  return text ? `?${text}` : "";
}
