// Calls the REST API from a signed-in page: the cookie identifies the user, the antiforgery token proves that the request comes from our page.

// Relative to the page's base URL, because the host may be served under a path prefix.
const urlOf = path => new URL(`api/v1/${path}`, document.baseURI);

const token = () => document.querySelector('meta[name="headstart-antiforgery"]').content;

/** Sends a request. Throws an ApiError with the API's message if the request fails, a TypeError if there is no connection. */
export async function send(method, path, body, headers = {}, signal = undefined) {
  const response = await fetch(urlOf(path), { method, body, headers: { 'X-Headstart-Antiforgery': token(), ...headers }, signal });
  const json = response.headers.get('content-type')?.includes('json') ? await response.json() : null;
  if (!response.ok) throw new ApiError(response.status, json, Number(response.headers.get('retry-after')) || 0);
  return json;
}

export class ApiError extends Error {
  constructor(status, problem, retryAfter) {
    super(problem?.detail ?? `The server returned status ${status}.`);
    Object.assign(this, { status, problem, retryAfter });
  }

  /** Whether a retry may succeed. */
  get passes() { return this.status >= 500 || this.status === 429; }
}
