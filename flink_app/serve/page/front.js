// The visitor's side of the page: who visits, the list that follows what they do, and after how long.
// In: lists from the stream; what visitors do. Out: events; what moved, why, after how many ms.
//
// What the page looks like is a module of its own, the look, such as shop.js. It exports
//   TAB, VERB, INVITATION, SEARCH   its name; as in "because you watched …"; what somebody new may do;
//                        what one may search for
//   start(front)         builds what it adds to the page; `front` is below
//   newCard(item), fill(card, entry, place, why)   how an item of the list is drawn
//   shelves(item)        draws what is below the list; `item` is what was touched last, or ''
//   become(user), met(user), show(entries) → entries, note(items)   optional: another visitor; one who
//                        is known; what is shown of a list; what lists have
//   drop(), forget(user)   optional: the visitor is about to be forgotten, and what has begun is not
//                        sent any more; no traces are left
//   nameOf(id)           optional: what a person is called

import { about, follow, Problem, send, title } from './api.js';
import { sparkline } from './chart.js';
import { by } from './dom.js';
import { draw } from './list.js';
import * as look from './look.js';
import { start as startMe } from './me.js';
import { Moves } from './moves.js';
import { because, named, reason } from './reasons.js';
import { similarTo } from './shelves.js';
import { label, linked, start as startWhy } from './whys.js';

const SHOWN = 12;
const FETCHED = 24; // so that titles of items that move up are known already
const SHELVES_S = 15;
const PATIENCE_MS = 8000;
const REMEMBERED = 5; // what was done last, which reasons may mention

/** What was done with its moments in ms, newest last; it may be acknowledged after its list is drawn. */
export const clicks = [];

const state = { user: '', list: null, shown: [], waiting: null, end: null, last: '', similar: [], words: '', round: 0, unwanted: new Set() };
let hooks = { onLink() {}, onProblem() {} };

/** What the look and the rest of the page may use. */
const front = {
  become, busy, did, less, redraw, refill, say, trying, user: () => state.user, onProblem: text => hooks.onProblem(text),
};

export function start(given) {
  hooks = given;
  by('visitor').addEventListener('submit', event => {
    event.preventDefault();
    become(by('user').value.trim());
  });
  by('search').addEventListener('submit', event => {
    event.preventDefault();
    search(by('query').value.trim());
  });
  by('invent').addEventListener('click', () => become(invented()));
  startMe({
    ...front, forgetting: () => look.drop?.(), forgotten: user => { look.forget?.(user); become(user); },
  });
  startWhy(front);
  by('query').placeholder = `such as ${look.SEARCH}`;
  look.start(front);
  const asked = new URLSearchParams(location.search).get('user');
  become(asked || sessionStorage.getItem('millirec-user') || invented());
  setInterval(() => { if (!document.hidden) shelves(); }, SHELVES_S * 1000);
}

function invented() {
  const random = crypto.getRandomValues(new Uint32Array(1))[0];
  return `visitor-${random.toString(36).slice(0, 5)}`;
}

function become(user) {
  if (!user) return;
  state.end?.();
  look.become?.(user); // before: what the visitor who leaves has begun is still sent as theirs
  Object.assign(state, { user, list: null, shown: [], waiting: null, last: '', similar: [], words: '', unwanted: new Set() });
  sessionStorage.setItem('millirec-user', user);
  by('user').value = user;
  by('query').value = '';
  by('list').replaceChildren();
  by('said').textContent = '';
  by('who').textContent = 'Waiting for the first list …';
  state.end = follow(named(`/stream/${encodeURIComponent(user)}?n=${FETCHED}`), list => onList(list, user), hooks.onLink);
  shelves();
}

async function onList(list, user) {
  const arrived = performance.now();
  const round = ++state.round;
  const all = list.items.filter(entry => !state.unwanted.has(entry.item));
  list.items = all.slice(0, SHOWN);
  await about([...list.items.map(entry => entry.item), ...list.items.flatMap(because)]).catch(() => {});
  if (user !== state.user || round !== state.round) return;
  const before = state.list;
  state.list = list;
  const touched = state.waiting?.item;
  const stays = list.items.some(entry => entry.item === touched);
  const moves = new Moves(before?.items ?? [], list.items, stays ? undefined : touched);
  drawList(before ? moves : null);
  who(list);
  if (!before && list.known) look.met?.(user).catch(() => {});
  lookAhead(all.map(entry => entry.item));
  const waiting = state.waiting;
  if (!waiting || !follows(list, waiting)) return;
  state.waiting = null;
  const drawn = performance.now();
  const what = waiting.name || title(waiting.item);
  const click = {
    title: what, ms: drawn - waiting.at, waiting,
    made: Math.max(0, list.at - waiting.clock), here: arrived - waiting.at,
  };
  clicks.push(click);
  if (clicks.length > 50) clicks.shift();
  by('ms').textContent = Math.round(click.ms);
  by('spark').replaceChildren(sparkline(clicks.slice(-24).map(one => one.ms)));
  const sentence = `You ${waiting.told.replace('{}', () => what)}.`;
  say(`${sentence} The list followed after ${Math.round(click.ms)} ms: ${moves.told()}.`);
  shelves();
}

/** Look up titles and categories of items that may come next. */
function lookAhead(items) {
  look.note?.(items);
  about(items).catch(() => {});
}

/** Whether a list reflects what was done: it counts one more event, and an item that is consumed is
 * gone. What is no event of an item, such as a search, is followed by another list. */
function follows(list, waiting) {
  if (waiting.until === 'other') return list.known && list.id !== waiting.before;
  if (count(list) <= waiting.count) return false;
  // If clicks do not consume their item, it may stay.
  return waiting.until === 'counted' || !list.items.some(entry => entry.item === waiting.item)
    || performance.now() - waiting.at > 500;
}

function count(list) {
  return list?.known ? parseInt(String(list.id).split('-')[1] ?? '0', 16) || 0 : 0;
}

function who(list) {
  const popular = list.source === 'popular';
  by('who').textContent = !list.items.length
    ? 'No list yet: the job has not written any. It will show here as soon as it does.'
    : list.stale
      ? 'Redis does not answer: this is the last known list.'
      : !list.known ? `New here, so this is what is popular. ${look.INVITATION}`
        : popular ? 'Not enough clicks yet for a list of your own.'
          : `A list of your own, made ${new Date(list.at).toLocaleTimeString()}.`;
}

function search(query) {
  if (!query || busy()) return;
  state.words = query;
  did({ query, type: 'search' }, 'searched for {}', 'other', `“${query}”`);
}

/** Say that the visitor wants less like an item, which the page does not show any more. */
function less(item) {
  state.unwanted.add(item);
  return did({ item, type: 'dislike' }, 'want less like {}', 'counted');
}

/** Whether a list is waited for: what is done twice by mistake is not sent twice. */
function busy() {
  return Boolean(state.waiting && !state.waiting.late);
}

/**
 * Send what the visitor did; resolves to whether it was acknowledged. Unless another one is waited
 * for, the list that follows is, and then told, as in 'clicked {}'.
 *
 * `until` says which list follows: 'gone' is one that counts the event and has not its item, 'counted'
 * one that counts it, 'other' any other one. `name` is what the event is about, if not its item.
 */
async function did(event, told, until = 'gone', name = '') {
  const { list, user } = state;
  const waiting = {
    item: event.item, name, told, until, at: performance.now(), clock: Date.now(), count: count(list),
    before: list?.id, acknowledged: 0,
  };
  if (!busy()) {
    state.waiting = waiting;
    setTimeout(() => {
      if (state.waiting !== waiting) return;
      waiting.late = true; // but still waited for
      say(`No new list within ${PATIENCE_MS / 1000} s. Is the job running?`);
    }, PATIENCE_MS);
  }
  if (event.item !== undefined) state.last = event.item;
  try {
    await send({ user, ...event, ...(list?.known && !event.kind && { rec: list.id }) });
  } catch (error) {
    if (state.waiting === waiting) state.waiting = null;
    hooks.onProblem(error instanceof Problem ? error.message : String(error));
    return false;
  }
  waiting.acknowledged = performance.now();
  // Not earlier: it would delay the event.
  if (event.item !== undefined && user === state.user) lookForSimilar(event.item);
  return true;
}

/** An event listener that says what goes wrong. */
function trying(work) {
  return async event => {
    event.preventDefault();
    try {
      await work(event);
    } catch (error) {
      hooks.onProblem(error.message);
    }
  };
}

function shelves() {
  look.shelves(state.last).catch(error => hooks.onProblem(error.message));
}

async function lookForSimilar(item) {
  const { user } = state;
  const similar = await similarTo(item);
  if (state.user !== user) return;
  const others = state.similar.filter(one => one.item !== item);
  state.similar = [{ item, all: new Set(similar) }, ...others].slice(0, REMEMBERED);
  lookAhead(similar);
  refill();
}

function drawList(moves) {
  state.shown = look.show?.(state.list.items) ?? state.list.items;
  draw(state.shown, moves, item => linked(look.newCard(item)), fill);
}

/** Draw the list as it is, once more. */
function redraw() {
  if (state.list) drawList(null);
}

/** Write into the cards of the list once more. */
function refill() {
  for (const [place, card] of [...by('list').children].entries()) fill(card, state.shown[place], place);
}

/** What a card says, with why it is in the list, and to which of the last items it is similar. */
function fill(card, entry, place) {
  const like = state.similar.find(one => one.all.has(entry.item))?.item;
  label(card, state.user);
  look.fill(card, entry, place, reason(entry, { like, words: state.words, verb: look.VERB, nameOf: look.nameOf }));
}

function say(text) {
  by('said').textContent = text;
}
