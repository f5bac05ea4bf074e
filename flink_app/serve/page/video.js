// The look of a video platform: wide tiles, a player, what to continue with, a shelf for each genre.
// In: see front.js. Out: what player.js sends.

import { about, ask, attribute, category, isNew, title } from './api.js';
import { fill as write, newCard as cardOf } from './cards.js';
import { by, element } from './dom.js';
import * as player from './player.js';
import { poster } from './posters.js';
import { drawShelves, listed, shelf, similarTo } from './shelves.js';
import * as watched from './watched.js';

export const TAB = 'Videos';
export const VERB = 'watched';
export const INVITATION = 'Watch something.';
export const SEARCH = 'gritty crime';

const GENRES = 4;
const HISTORY = 20; // items watched before, which may have a next episode
const art = item => poster(item, category(item), attribute(item, 'series'));
let front;
let genres = [];
let turn = 0;

export function start(given) {
  front = given;
  player.start(front, { art, card: telling(), open, episode, changed: drawContinued });
  const shown = element('div');
  shown.id = 'continue';
  by('stage').append(shown);
}

export function become(user) {
  player.close();
  watched.become(user);
  drawContinued();
}

export const drop = player.discard;

export function forget(user) {
  player.discard(); // what was begun since
  watched.forget(user);
}

/** The visitor has been here before: what was watched last may have a next episode. */
export async function met(user) {
  const { history = [] } = await ask('GET', user, '/data');
  const liked = history.slice(0, HISTORY).filter(one => one.liked !== false);
  const items = liked.flatMap(one => one.item ?? []);
  await about(items);
  const episodes = items.filter(item => attribute(item, 'series') !== undefined);
  const alike = await Promise.all(episodes.map(similarTo));
  await about(alike.flat());
  if (user !== front.user()) return;
  watched.before(episodes);
  drawContinued();
}

export function show(entries) {
  const names = entries.map(entry => category(entry.item)).filter(Boolean);
  const often = name => names.filter(one => one === name).length;
  genres = [...new Set([...names.sort((one, other) => often(other) - often(one)), ...genres])].slice(0, GENRES);
  return entries;
}

export function newCard(item) {
  const card = cardOf(item, open, art, ['title', 'episode', 'why']);
  const progress = element('progress');
  progress.max = 1;
  card.querySelector('.art').append(progress, element('span', 'length'));
  return card;
}

export function fill(card, entry, place, why) {
  texts(card, why);
}

function texts(card, why) {
  const { item } = card.dataset;
  const { share = 0 } = watched.of(item);
  const progress = card.querySelector('progress');
  progress.hidden = !share;
  progress.value = share;
  progress.setAttribute('aria-label', `${Math.round(share * 100)} % watched`);
  write(card, { title: title(item), episode: episode(item), length: length(item), badge: isNew(item) ? 'new' : '', why });
}

/** A card of a shelf. */
const telling = why => item => {
  const card = newCard(item);
  texts(card, why ?? category(item));
  return card;
};

function episode(item) {
  const [series, number] = [attribute(item, 'series'), attribute(item, 'episode')];
  if (series === undefined) return '';
  return title(item).startsWith(String(series)) ? `Episode ${number}` : `${series}, episode ${number}`;
}

/** How long a video is, as people say it; '' if nobody has said so. */
function length(item) {
  const minutes = Math.round(Number(attribute(item, 'duration_s')) / 60);
  if (!(minutes >= 0)) return '';
  return minutes < 60 ? `${Math.max(minutes, 1)} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

async function open(item) {
  player.play(item);
  const alike = await similarTo(item);
  await about(alike).catch(() => {});
  player.alike(item, alike);
}

/** What was begun, and the next episodes of what was watched. */
function drawContinued() {
  const items = watched.open();
  const focused = document.activeElement?.closest('#continue .card')?.dataset.item;
  by('continue').replaceChildren(...shelf('Continue watching', items, item => {
    const { share } = watched.of(item);
    return telling(share ? left(item, share) : 'next episode')(item);
  }));
  const again = [...by('continue').querySelectorAll('.card')].find(one => one.dataset.item === focused);
  again?.firstChild.focus({ preventScroll: true });
}

function left(item, share) {
  const minutes = Math.ceil((Number(attribute(item, 'duration_s')) * (1 - share)) / 60);
  return minutes >= 0 ? `${minutes} min left` : `${Math.round(share * 100)} % watched`;
}

export async function shelves() {
  const own = ++turn;
  const favourites = watched.favourites();
  const of = genres;
  const popular = name => listed('/popular', { filter: `category == ${JSON.stringify(name)}`, explain: false });
  const [trending, ...named] = await Promise.all([listed('/trending'), ...of.map(popular)]);
  await about([...trending, ...named.flat(), ...favourites, ...watched.latest()]).catch(() => {});
  if (own !== turn) return; // a later call draws
  drawShelves([
    ...shelf('Your favourites', favourites, telling()),
    ...shelf('Trending now', trending, telling('trending now')),
    ...of.flatMap((name, n) => shelf(name, named[n], telling(`popular in ${name}`))),
  ]);
  drawContinued();
}
