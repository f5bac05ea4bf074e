// Talks to the server: JSON, events, and a user's list as a stream.
// In: paths and bodies. Out: decoded answers, or a Problem with a sentence for people.

const KEY = 'millirec-key';

export class Problem extends Error {}

function headers(more = {}) {
  const key = sessionStorage.getItem(KEY);
  return key ? { ...more, 'X-API-Key': key } : more;
}

/** Ask for the key; it is kept while the tab is open. */
function askForKey() {
  const dialog = document.getElementById('key');
  if (!dialog.open) dialog.showModal();
  return new Promise(resolve => dialog.addEventListener('close', () => {
    sessionStorage.setItem(KEY, document.getElementById('secret').value);
    resolve();
  }, { once: true }));
}

async function answered(path, options) {
  for (;;) {
    let response;
    try {
      response = await fetch(path, { ...options, headers: headers(options.headers) });
    } catch (error) {
      if (error.name === 'AbortError') throw error;
      throw new Problem('The server does not answer.');
    }
    if (response.status === 401) {
      await askForKey();
      continue;
    }
    if (response.ok) return response;
    const { detail } = await response.json().catch(() => ({}));
    const problem = new Problem(detail || `The server answered with status ${response.status}.`);
    problem.status = response.status;
    throw problem;
  }
}

export async function get(path) {
  return (await answered(path, {})).json();
}

/** Ask something of a user: `GET` with '/data' for what is known, `DELETE` to forget. */
export async function ask(method, user, more = '') {
  return (await answered(`/users/${encodeURIComponent(user)}${more}`, { method })).json();
}

/** Send an event, or a line about the visitor; also from a page that is being left. */
export function send(event) {
  return post('/events', event);
}

/** Say what an item is. */
export function put(item) {
  return post('/items', item);
}

async function post(path, line) {
  const options = {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(line),
    keepalive: true,
  };
  return (await answered(path, options)).json();
}

/**
 * Follow a user's list, the stream under a path. Calls `onList(list)` at each change and `onLink(up)`; returns a function
 * that stops it. Uses fetch because EventSource cannot send a key.
 */
export function follow(path, onList, onLink) {
  const controller = new AbortController();
  (async () => {
    while (!controller.signal.aborted) {
      try {
        const response = await answered(path, { signal: controller.signal });
        onLink(true);
        for await (const data of events(response.body)) onList(JSON.parse(data));
      } catch (error) {
        if (error.name === 'AbortError') return;
      }
      if (controller.signal.aborted) return;
      onLink(false);
      await new Promise(resolve => setTimeout(resolve, 1000));
    }
  })();
  return () => controller.abort();
}

/** The data of each server-sent event in a body. */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split('\n\n');
    rest = blocks.pop();
    for (const block of blocks) {
      const line = block.split('\n').find(one => one.startsWith('data: '));
      if (line) yield line.slice(6);
    }
  }
}

const known = new Map();

/** What is said about items: a Map of id → {title, category, …}, requested once each, or `again`. */
export async function about(ids, again = false) {
  const missing = [...new Set(ids)].filter(id => again || !known.has(id));
  for (let at = 0; at < missing.length; at += 100) {
    const part = missing.slice(at, at + 100);
    const query = part.map(id => `id=${encodeURIComponent(id)}`).join('&');
    const { items } = await get(`/items?${query}`);
    for (const id of part) known.set(id, items[id] ?? {});
  }
  return known;
}

export function title(id) {
  return text(id, 'title') || id;
}

export function category(id) {
  const { category: first, categories } = known.get(id) ?? {};
  const name = first ?? (Array.isArray(categories) ? categories[0] : '');
  return typeof name === 'string' ? name : '';
}

/** What an item costs, as people write it; '' if the shop does not say. */
export function price(id) {
  const { price: amount, currency } = known.get(id) ?? {};
  return typeof amount === 'number' ? money(amount, currency) : '';
}

/** What items cost together, if the shop says of each, in one currency. */
export function total(ids) {
  const told = ids.map(id => known.get(id) ?? {});
  const { currency } = told[0] ?? {};
  const same = told.every(one => typeof one.price === 'number' && one.currency === currency);
  return told.length && same ? money(told.reduce((sum, one) => sum + one.price, 0), currency) : '';
}

function money(amount, currency) {
  try {
    return amount.toLocaleString(undefined, { style: 'currency', currency });
  } catch {
    return amount.toLocaleString(undefined, { minimumFractionDigits: 2 }); // no such currency
  }
}

/** What is said of an item under a name that is no field of millirec's own. */
export function attribute(id, name) {
  return known.get(id)?.attributes?.[name];
}

/** A text that is said of an item, such as its provider; '' if there is none. */
export function text(id, name) {
  const found = known.get(id)?.[name];
  return typeof found === 'string' ? found : '';
}

/** A moment that is said of an item, in ms since 1970; NaN if there is none. */
export function moment(id, name) {
  return new Date(known.get(id)?.[name] ?? NaN).getTime();
}

export function tags(id) {
  const words = known.get(id)?.tags;
  return Array.isArray(words) ? words.filter(word => typeof word === 'string') : [];
}

/** Whether an item cannot be had at the moment. */
export function soldOut(id) {
  return known.get(id)?.available === false;
}

/** The items that are known so far. */
export function all() {
  return [...known.keys()];
}

const NEW_MS = 7 * 24 * 3600 * 1000;

/** Whether an item was published within the last week. */
export function isNew(id) {
  const age = Date.now() - moment(id, 'published');
  return age < NEW_MS && age > -60_000; // the shop's clock may be ahead
}

/** Up to three words that the shop says of both items. */
export function inCommon(one, other) {
  const said = id => ['tags', 'categories'].flatMap(field => {
    const words = known.get(id)?.[field];
    return Array.isArray(words) ? words.filter(word => typeof word === 'string') : [];
  });
  const others = new Set(said(other));
  return said(one).filter(word => others.has(word)).slice(0, 3);
}

/** A picture that the shop has given, as a data URL; the policy of the page loads no other. */
export function image(id) {
  const { image: url } = known.get(id) ?? {};
  return typeof url === 'string' && /^data:image\/(png|jpeg|webp|gif);/.test(url) ? url : '';
}
