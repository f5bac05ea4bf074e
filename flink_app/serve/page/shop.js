// The shop: a visitor, the list that follows clicks and searches, and shelves to click on.
// In: lists from the stream and from shelves. Out: events; what moved, why, and after how long.

import { about, follow, Problem, send, title } from './api.js';
import { because, fill, mark, newCard, reason } from './cards.js';
import { sparkline } from './chart.js';
import { start as startMe } from './me.js';
import { Moves } from './moves.js';
import { fillShelves, note, similarTo } from './shelves.js';

const SHOWN = 12;
const FETCHED = 24; // so that titles of items that move up are known already
const SHELVES_S = 15;
const PATIENCE_MS = 8000;
const REMEMBERED = 5; // clicks that reasons may mention

/** Clicks with their moments in ms, newest last; a click may be acknowledged after its list is drawn. */
export const clicks = [];

const by = id => document.getElementById(id);
const state = { user: '', list: null, waiting: null, end: null, lastClicked: '', similar: [], words: '', round: 0 };
let hooks = { onLink() {}, onProblem() {} };

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
  startMe({ user: () => state.user, become, say, onProblem: hooks.onProblem });
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
  Object.assign(state, { user, list: null, waiting: null, lastClicked: '', similar: [], words: '' });
  sessionStorage.setItem('millirec-user', user);
  by('user').value = user;
  by('query').value = '';
  by('list').replaceChildren();
  by('said').textContent = '';
  by('who').textContent = 'Waiting for the first list …';
  state.end = follow(user, FETCHED, list => onList(list, user), hooks.onLink);
  shelves();
}

async function onList(list, user) {
  const arrived = performance.now();
  const round = ++state.round;
  const all = list.items;
  list.items = all.slice(0, SHOWN);
  await about([...list.items.map(entry => entry.item), ...list.items.flatMap(because)]).catch(() => {});
  if (user !== state.user || round !== state.round) return;
  const before = state.list;
  state.list = list;
  const moves = new Moves(before?.items ?? [], list.items, state.waiting?.item);
  draw(list, before ? moves : null);
  who(list);
  lookAhead(all.map(entry => entry.item));
  const waiting = state.waiting;
  if (!waiting || !follows(list, waiting)) return;
  state.waiting = null;
  const drawn = performance.now();
  const click = {
    title: waiting.query === undefined ? title(waiting.item) : quoted(waiting.query), ms: drawn - waiting.at, waiting,
    made: Math.max(0, list.at - waiting.clock), here: arrived - waiting.at,
  };
  clicks.push(click);
  if (clicks.length > 50) clicks.shift();
  by('ms').textContent = Math.round(click.ms);
  by('spark').replaceChildren(sparkline(clicks.slice(-24).map(one => one.ms)));
  const did = waiting.query === undefined ? 'clicked' : 'searched for';
  say(`You ${did} ${click.title}. The list followed after ${Math.round(click.ms)} ms: ${moves.told()}.`);
  shelves();
}

/** Look up titles and categories of items that may come next. */
function lookAhead(items) {
  note(items);
  about(items).catch(() => {});
}

/** Whether a list reflects what was done: it counts one more event, and the clicked item is gone;
 * after a search, which is no event of an item, it is another list. */
function follows(list, waiting) {
  if (waiting.query !== undefined) return list.known && list.id !== waiting.before;
  if (count(list) <= waiting.count) return false;
  // If clicks do not consume their item, it may stay.
  return !list.items.some(entry => entry.item === waiting.item) || performance.now() - waiting.at > 500;
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
      : !list.known ? 'New here, so this is what is popular. Click something.'
        : popular ? 'Not enough clicks yet for a list of your own.'
          : `A list of your own, made ${new Date(list.at).toLocaleTimeString()}.`;
}

async function click(item) {
  const acknowledged = post({ item, type: 'click' });
  if (!acknowledged) return;
  const { user } = state;
  state.lastClicked = item;
  for (const card of document.querySelectorAll('.card')) {
    card.classList.toggle('clicked', card.dataset.item === item);
  }
  if (await acknowledged && user === state.user) lookForSimilar(item); // not earlier: it would delay the click
}

function search(query) {
  if (query && post({ query, type: 'search' })) state.words = query;
}

const quoted = words => `“${words}”`;

/** Send what the visitor did and wait for the list that follows; returns a promise of whether it
 * was acknowledged, or nothing while an earlier one is waited for. */
function post(did) {
  if (state.waiting && !state.waiting.late) return null;
  const { list } = state;
  const waiting = {
    ...did, at: performance.now(), clock: Date.now(), count: count(list), before: list?.id, acknowledged: 0,
  };
  state.waiting = waiting;
  setTimeout(() => {
    if (state.waiting !== waiting) return;
    waiting.late = true; // but still waited for
    say(`No new list within ${PATIENCE_MS / 1000} s. Is the job running?`);
  }, PATIENCE_MS);
  return acknowledge(waiting, { user: state.user, ...did, ...(list?.known && { rec: list.id }) });
}

async function acknowledge(waiting, event) {
  try {
    await send(event);
    waiting.acknowledged = performance.now();
    return true;
  } catch (error) {
    if (state.waiting === waiting) state.waiting = null;
    hooks.onProblem(error instanceof Problem ? error.message : String(error));
    return false;
  }
}

function shelves() {
  fillShelves(state.lastClicked, click).catch(error => hooks.onProblem(error.message));
}

async function lookForSimilar(item) {
  const { user } = state;
  const similar = await similarTo(item);
  if (state.user !== user) return;
  const others = state.similar.filter(one => one.item !== item);
  state.similar = [{ item, all: new Set(similar) }, ...others].slice(0, REMEMBERED);
  lookAhead(similar);
  for (const [place, card] of [...by('list').children].entries()) tell(card, state.list.items[place]);
}

/** Say why an item is in the list, and to which of the last clicks it is similar. */
function tell(card, entry) {
  if (!entry) return;
  const like = state.similar.find(one => one.all.has(entry.item))?.item;
  card.querySelector('.why').textContent = reason(entry, like, state.words);
}

function say(text) {
  by('said').textContent = text;
}

function draw(list, moves) {
  const shown = by('list');
  const old = new Map([...shown.children].map(card => [card.dataset.item, card]));
  const focused = document.activeElement?.closest('#list .card');
  const places = new Map([...old].map(([item, card]) => [item, card.getBoundingClientRect()]));
  const cards = list.items.map((entry, place) => {
    const card = old.get(entry.item) ?? newCard(entry.item, click);
    fill(card, '', place + 1);
    tell(card, entry);
    card.classList.remove('clicked');
    mark(card, moves?.of(entry.item));
    return card;
  });
  shown.replaceChildren(...cards);
  if (focused) (focused.isConnected ? focused : cards[0])?.firstChild.focus({ preventScroll: true });
  if (moves && !matchMedia('(prefers-reduced-motion: reduce)').matches) animate(cards, places);
}

/** Move each card from its previous place; new ones fade in. */
function animate(cards, places) {
  for (const card of cards) {
    const from = places.get(card.dataset.item);
    const to = card.getBoundingClientRect();
    const frames = from
      ? [{ transform: `translate(${from.left - to.left}px, ${from.top - to.top}px)` }, { transform: 'none' }]
      : [{ opacity: 0, transform: 'scale(.92)' }, { opacity: 1, transform: 'none' }];
    card.animate(frames, { duration: 320, easing: 'cubic-bezier(.2,.8,.2,1)' });
  }
}
