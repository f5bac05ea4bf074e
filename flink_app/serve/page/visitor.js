// What a shop's page says of its visitor: events, consent, log-in, and the wish to be forgotten.
// In: calls of the shop's own scripts. Out: lines of JSON for `POST /events`; nothing at all, and
// nothing stored, before consent. Copy it, or import it from `millirec serve`; docs/people.md.

const KEY = 'millirec-visitor';
const SESSION = 'millirec-session';
const WAIT_MS = 1000;
const PAUSE_MS = 30 * 60 * 1000; // what a visitor does after such a pause is another visit
const MOST = 100; // events that wait while there is no connection; a beacon takes 64 KiB at most

export class Visitor {
  #events; #people; #account; #kept; #visit = null; #queue = []; #timer = 0; #sending = Promise.resolve();

  /**
   * @param {string} account the user's id in the shop; '' while nobody is logged in.
   * @param {string} events where events go, `people` where links, consent and deletion go: a route
   *   of the shop, which knows who is logged in, and passes them on.
   */
  constructor({ account = '', events = '/events', people = events } = {}) {
    this.#events = events;
    this.#people = people;
    this.#know(stored('localStorage', KEY));
    this.#account = account;
    if (this.#kept) {
      // Whoever comes after somebody who has logged in here is not taken for the same person.
      if (this.#kept.linked && this.#kept.linked !== account) this.#begin();
      this.#link();
    }
    addEventListener('storage', ({ key }) => { // another tab has agreed, withdrawn or logged in
      if (key !== KEY && key !== null) return;
      this.#know(stored('localStorage', KEY));
      if (!this.#kept) this.#queue = [];
    });
    addEventListener('pagehide', () => this.#leave());
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'hidden') this.#leave();
    });
  }

  /** Whose list to show: the account, else the anonymous id; '' without consent. */
  get user() {
    return this.#kept ? this.#account || this.#kept.id : '';
  }

  /** The visitor agrees: from now on there is an anonymous id, and events are sent. */
  async agree() {
    if (this.#kept) return;
    this.#begin();
    const account = this.#account;
    try {
      if (account) await this.#tell({ kind: 'consent', user: account, personalise: true });
    } catch (error) {
      this.#keep(null);
      throw error;
    }
    this.#link();
  }

  /** The visitor does not agree any more: what is known goes, and nothing is sent from now on. */
  async withdraw() {
    if (!this.#kept) return;
    const account = this.#account;
    await this.#end(account
      ? { kind: 'consent', user: account, personalise: false }
      : { kind: 'forget', user: this.#kept.id });
  }

  /** All that is known of the visitor goes; consent stays, and all begins from nothing. */
  async forget() {
    if (!this.#kept) return;
    await this.#end({ kind: 'forget', user: this.user });
    this.#begin();
    this.#link();
  }

  /** The visitor has logged in: what was done before belongs to the account. */
  logIn(account) {
    if (this.#account && this.#account !== account) this.logOut();
    this.flush();
    this.#account = account;
    this.#link();
  }

  /** The visitor has logged out; whoever comes next on this device is somebody new. */
  logOut() {
    this.flush();
    this.#account = '';
    if (this.#kept?.linked) this.#begin();
  }

  /** The visitor has done something, such as `{item: 'kettle', type: 'click', rec: list.id}`. */
  did(event) {
    if (!this.#kept) return;
    // No time: clocks of visitors are wrong. The id lets millirec drop what comes twice.
    this.#queue.push({ ...event, user: this.user, session: this.#session(), id: random() });
    this.#queue.splice(0, this.#queue.length - MOST);
    this.#timer ||= setTimeout(() => this.flush(), WAIT_MS);
  }

  /** Send what waits; what does not arrive waits on. */
  flush() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    const part = this.#queue.splice(0);
    if (part.length) this.#sending = this.#sending.then(() => this.#send(part));
    return this.#sending;
  }

  async #send(part) {
    const again = await post(this.#events, part).catch(error => console.error(error.message));
    if (!again || !this.#kept) return;
    this.#queue.unshift(...part);
    this.#queue.splice(0, this.#queue.length - MOST);
    this.#timer ||= setTimeout(() => this.flush(), 5 * WAIT_MS);
  }

  #leave() {
    const part = this.#queue.splice(0);
    // If the browser refuses, and the page stays after all, they are sent later.
    if (part.length && !navigator.sendBeacon(this.#events, JSON.stringify(part))) this.#queue = part;
  }

  /** Say whose the anonymous id is, once; on the next page again if that fails. */
  #link() {
    const { id, linked, told } = this.#kept ?? {};
    const account = this.#account;
    if (!id || !account || (told && linked === account)) return;
    this.#keep({ id, linked: account, told: false }); // from now on the id is not for others
    this.#tell({ kind: 'link', user: id, to: account }).then(
      () => { if (this.#kept?.id === id) this.#keep({ id, linked: account, told: true }); },
      error => console.error(error.message),
    );
  }

  #tell(line) {
    return post(this.#people, line).then(again => {
      if (again) throw new Error('The server did not take what was said; say it again later.');
    });
  }

  /** The id of this tab's visit, which ends with a pause; and with the anonymous id, or it would
   * tell that two of these are the same person. */
  #session() {
    const now = Date.now(), of = this.#kept.id;
    const before = this.#visit ?? stored('sessionStorage', SESSION);
    const goesOn = before?.of === of && now - before.at < PAUSE_MS;
    this.#visit = { id: goesOn ? before.id : random(), at: now, of };
    try {
      sessionStorage.setItem(SESSION, JSON.stringify(this.#visit));
    } catch { /* the browser keeps nothing: the visit lasts as long as the page */ }
    return this.#visit.id;
  }

  #begin() {
    this.#keep({ id: `anon-${random()}`, linked: '', told: false });
  }

  #keep(kept) {
    this.#know(kept);
    try {
      if (kept) localStorage.setItem(KEY, JSON.stringify(kept));
      else localStorage.removeItem(KEY);
    } catch { /* the browser keeps nothing: the id lasts as long as the page */ }
  }

  #know(kept) {
    this.#kept = kept;
    if (kept) return;
    this.#visit = null;
    try { sessionStorage.removeItem(SESSION); } catch { /* the browser keeps nothing */ }
  }

  /** Send nothing any more but a last line, and forget all that the browser holds. If the line does
   * not arrive, all is as before, so that it can be said again. */
  async #end(line) {
    const kept = this.#kept;
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#queue = [];
    this.#keep(null);
    await this.#sending; // what is on its way comes before
    try {
      await this.#tell(line);
    } catch (error) {
      this.#keep(kept);
      throw error;
    }
  }
}

function stored(storage, key) {
  try {
    const found = JSON.parse(globalThis[storage].getItem(key));
    return typeof found?.id === 'string' ? found : null;
  } catch {
    return null; // another script's, or damaged: as before consent
  }
}

/** Send lines; returns whether to send them again later. */
async function post(path, lines) {
  const headers = { 'Content-Type': 'application/json' };
  const answer = await fetch(path, { method: 'POST', headers, body: JSON.stringify(lines), keepalive: true })
    .catch(() => null); // no connection
  if (!answer) return true;
  if (answer.ok) return false;
  if (answer.status >= 500 || answer.status === 429) return true;
  const { detail } = await answer.json().catch(() => ({}));
  throw new Error(detail ?? `The server answered with status ${answer.status}.`);
}

function random() {
  const numbers = crypto.getRandomValues(new Uint8Array(16));
  return [...numbers].map(number => number.toString(16).padStart(2, '0')).join('');
}
