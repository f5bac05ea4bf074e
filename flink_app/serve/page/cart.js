// The bar of a shop: the item that is looked at, and the cart. In: items that are clicked.
// Out: the events cart and purchase. A cart is kept in this tab, for each visitor.

import { price, soldOut, title, total } from './api.js';
import { framed } from './cards.js';
import { button, by, element } from './dom.js';

const KEY = 'millirec-cart-';
let front;
let art;
let user = '';
let looked = '';
let items = [];

/** `art(item)` draws an item that has no picture. */
export function start(given, drawn) {
  front = given;
  art = drawn;
  const bar = element('section');
  bar.id = 'bar';
  bar.setAttribute('aria-label', 'Cart');
  bar.hidden = true;
  by('front').append(bar);
}

export function become(name) {
  user = name;
  looked = '';
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY + user));
    items = Array.isArray(kept) ? kept.filter(item => typeof item === 'string') : [];
  } catch {
    items = []; // damaged: as if empty
  }
  draw();
}

export function forget(name) {
  sessionStorage.removeItem(KEY + name);
}

/** The visitor looks at an item. */
export function look(item) {
  looked = item;
  draw();
}

/** The items in the bar. */
export function shown() {
  return [...new Set([...items, ...(looked ? [looked] : [])])];
}

function keep(changed) {
  items = changed;
  sessionStorage.setItem(KEY + user, JSON.stringify(items));
  draw();
}

async function add() {
  const item = looked;
  keep([...items, item]);
  await front.did({ item, type: 'cart' }, 'put {} into your cart', 'counted');
}

async function buy() {
  const owner = user;
  const bought = items.filter(item => !soldOut(item));
  keep(items.filter(soldOut));
  const told = bought.length > 1 ? `bought {} and ${bought.length - 1} more` : 'bought {}';
  const done = await Promise.all(bought.map(item => front.did({ item, type: 'purchase' }, told, 'counted')));
  const failed = bought.filter((_, at) => !done[at]);
  if (failed.length && front.user() === owner) keep([...items, ...failed]);
}

export function draw() {
  const open = by('cart')?.open ?? false;
  const focused = document.activeElement?.closest('#bar') && document.activeElement.dataset.does;
  by('bar').hidden = !looked && !items.length;
  by('bar').replaceChildren(...(looked ? [product()] : []), cart(open));
  if (focused) {
    const again = by('bar').querySelector(`[data-does="${CSS.escape(focused)}"]:not(:disabled)`);
    (again ?? by('cart').querySelector('summary')).focus({ preventScroll: true });
  }
}

function product() {
  const made = element('div', 'product');
  const texts = element('p', 'texts');
  texts.append(element('strong', '', title(looked)), element('span', 'price', price(looked)));
  const gone = soldOut(looked);
  if (gone) texts.append(element('span', 'gone', 'sold out'));
  const put = does('add', items.includes(looked) ? 'In your cart' : 'Add to cart', add);
  put.disabled = gone || items.includes(looked);
  made.append(framed(looked, art), texts, put);
  return made;
}

function cart(open) {
  const made = element('details');
  made.id = 'cart';
  made.open = open;
  const there = items.filter(item => !soldOut(item));
  const count = items.length === 1 ? '1 item' : `${items.length || 'no'} items`;
  const sum = total(there);
  const list = element('ul');
  list.append(...items.map(line));
  const pay = does('buy', sum ? `Buy for ${sum}` : 'Buy', buy);
  pay.disabled = !there.length;
  const inside = element('div', 'inside');
  inside.append(items.length ? list : element('p', 'note', 'Nothing yet.'), pay);
  made.append(element('summary', '', `Cart: ${count}`), inside);
  return made;
}

function line(item) {
  const made = element('li');
  made.append(
    element('span', 'name', title(item)),
    element('span', soldOut(item) ? 'gone' : 'price', soldOut(item) ? 'sold out' : price(item)),
  );
  const out = does(`out ${item}`, '×', () => keep(items.filter(one => one !== item)));
  out.setAttribute('aria-label', `Take ${title(item)} out`);
  made.append(out);
  return made;
}

/** A button that finds its focus again when the bar is drawn anew. */
function does(what, text, onClick) {
  const made = button('', text, onClick);
  made.dataset.does = what;
  return made;
}
