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

export async function send(event) {
  const options = {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(event),
  };
  return (await answered('/events', options)).json();
}

/**
 * Follow a user's list. Calls `onList(list)` at each change and `onLink(up)`; returns a function
 * that stops it. Uses fetch because EventSource cannot send a key.
 */
export function follow(user, n, onList, onLink) {
  const controller = new AbortController();
  const path = `/stream/${encodeURIComponent(user)}?n=${n}`;
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

/** What the shop says about items: a Map of id → {title, category, …}, requested once each. */
export async function about(ids) {
  const missing = [...new Set(ids)].filter(id => !known.has(id));
  for (let at = 0; at < missing.length; at += 100) {
    const part = missing.slice(at, at + 100);
    const query = part.map(id => `id=${encodeURIComponent(id)}`).join('&');
    const { items } = await get(`/items?${query}`);
    for (const id of part) known.set(id, items[id] ?? {});
  }
  return known;
}

export function title(id) {
  const text = known.get(id)?.title;
  return typeof text === 'string' && text ? text : id;
}

export function category(id) {
  const text = known.get(id)?.category;
  return typeof text === 'string' ? text : '';
}
