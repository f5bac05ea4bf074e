// The look of a shop: cards with prices, a cart, what is sold out, and categories to browse.
// In: see front.js. Out: the events click, cart and purchase.

import { about, category, isNew, price, soldOut, title } from './api.js';
import * as browsing from './browse.js';
import * as cart from './cart.js';
import { fill as write, newCard as cardOf } from './cards.js';
import { picture } from './pictures.js';
import { drawShelves, listed, shelf, similarTo } from './shelves.js';

export const TAB = 'Shop';
export const VERB = 'looked at';
export const INVITATION = 'Click something.';
export const SEARCH = 'red kettle';
export const { note } = browsing;

const art = item => picture(item, category(item));
let front;
let turn = 0;

export function start(given) {
  front = given;
  cart.start(front, art);
}

export function become(user) {
  cart.become(user);
}

export const { forget } = cart;

export function newCard(item) {
  return cardOf(item, click, art, ['title', 'price', 'why']);
}

export function fill(card, entry, place, why) {
  texts(card, why, entry ? place + 1 : '');
}

function texts(card, why, rank = '') {
  const { item } = card.dataset;
  const badge = soldOut(item) ? 'sold out' : isNew(item) ? 'new' : '';
  card.classList.toggle('sold-out', soldOut(item));
  write(card, { title: title(item), price: price(item), badge, why, rank });
}

/** A card of a shelf. */
const telling = why => item => {
  const card = newCard(item);
  texts(card, why ?? category(item));
  return card;
};

async function click(item) {
  if (front.busy()) return;
  for (const card of document.querySelectorAll('.card')) {
    card.classList.toggle('clicked', card.dataset.item === item);
  }
  cart.look(item);
  await front.did({ item, type: 'click' }, 'clicked {}');
}

export async function shelves(clicked) {
  const own = ++turn;
  const [similar, trending, popular] = await Promise.all([
    clicked ? similarTo(clicked) : [],
    listed('/trending'),
    listed('/popular'),
  ]);
  browsing.explore(popular, telling());
  const stock = [...cart.shown(), ...browsing.shown()]; // which may have changed
  await Promise.all([
    about([...similar, ...trending, ...popular, ...(clicked ? [clicked] : [])]), about(stock, true),
  ]).catch(() => {});
  if (own !== turn) return; // a later call draws
  note([...similar, ...trending, ...popular]);
  const of = title(clicked);
  drawShelves([
    ...shelf(`Similar to ${of}`, similar, telling(`similar to ${of}`)),
    ...shelf('Trending', trending, telling('trending now')),
    ...shelf('Popular', popular, telling('popular now')),
  ]);
  browsing.browse(telling());
  cart.draw();
}
