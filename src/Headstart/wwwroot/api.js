// The REST API as a signed-in page may use it: the cookie says who, the token that a page of ours asks.

// Below the page's base: the host may be known below a prefix.
const address = path => new URL(`api/v1/${path}`, document.baseURI);

const token = () => document.querySelector('meta[name="headstart-antiforgery"]').content;

/** Sends a request; an answer that is no success becomes an ApiError with the API's sentence. Without a connection it throws a TypeError. */
export async function send(method, path, body, headers = {}) {
  const response = await fetch(address(path), { method, body, headers: { 'X-Headstart-Antiforgery': token(), ...headers } });
  const json = response.headers.get('content-type')?.includes('json') ? await response.json() : null;
  if (!response.ok) throw new ApiError(response.status, json, Number(response.headers.get('retry-after')) || 0);
  return json;
}

export class ApiError extends Error {
  constructor(status, problem, retryAfter) {
    super(problem?.detail ?? `The host answered ${status}.`);
    Object.assign(this, { status, problem, retryAfter });
  }

  /** Whether the same request may work later. */
  get passes() { return this.status >= 500 || this.status === 429; }
}
