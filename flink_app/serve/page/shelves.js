// Shelves below the list: similar items, what is trending and popular, and categories to browse.
// In: lists from the server. Out: rows of cards. The server has no catalogue: only items that its
// lists have named so far can be browsed.

import { about, category, get, title } from './api.js';
import { fill, newCard } from './cards.js';

const LENGTH = 16;
const SEEDS = 8; // popular items whose similar ones are added to what can be browsed,
const ENOUGH = 60; // until this many items are known
const by = id => document.getElementById(id);
const seen = new Set();
let chosen = '';
let turn = 0;

export async function fillShelves(clicked, onClick) {
  const own = ++turn;
  const lists = await Promise.all([
    clicked && similarTo(clicked),
    list('/trending'),
    list('/popular'),
  ]);
  const [similar, trending, popular] = lists.map(one => one || []);
  if (seen.size < ENOUGH) explore(popular).then(() => drawCategories(onClick));
  await about([...similar, ...trending, ...popular, ...(clicked ? [clicked] : [])]).catch(() => {});
  if (own !== turn) return; // a later call draws
  for (const item of [...similar, ...trending, ...popular]) seen.add(item);
  const focused = document.activeElement?.closest('#shelves .card')?.dataset.item;
  by('shelves').replaceChildren(
    ...shelf(`Similar to ${title(clicked)}`, similar, `similar to ${title(clicked)}`, onClick),
    ...shelf('Trending', trending, 'trending now', onClick),
    ...shelf('Popular', popular, 'popular now', onClick),
  );
  drawCategories(onClick);
  if (focused) {
    const cards = [...by('shelves').querySelectorAll('.card')];
    cards.find(one => one.dataset.item === focused)?.firstChild.focus({ preventScroll: true });
  }
}

export function similarTo(item) {
  return list(`/similar/${encodeURIComponent(item)}`);
}

async function list(path) {
  try {
    return (await get(`${path}?n=${LENGTH}`)).items.map(entry => entry.item);
  } catch {
    return []; // a new item has no similar ones yet
  }
}

/** Look up what is similar to popular items, to have more to browse. */
async function explore(popular) {
  const found = await Promise.all(popular.slice(0, SEEDS).map(similarTo));
  await about(found.flat()).catch(() => {});
  for (const item of found.flat()) seen.add(item);
}

export function note(items) {
  for (const item of items) seen.add(item);
}

function shelf(name, items, why, onClick) {
  if (!items.length) return [];
  const heading = document.createElement('h2');
  heading.textContent = name;
  return [heading, row(name, items, () => why, onClick)];
}

function row(name, items, why, onClick) {
  const list = document.createElement('ul');
  list.className = 'shelf';
  list.setAttribute('aria-label', name);
  list.append(...items.map(item => {
    const card = newCard(item, onClick);
    fill(card, why(item));
    return card;
  }));
  return list;
}

function drawCategories(onClick) {
  const groups = new Map();
  for (const item of seen) {
    const name = category(item);
    if (name) groups.set(name, [...(groups.get(name) ?? []), item]);
  }
  by('browse').hidden = groups.size < 2;
  if (groups.size < 2) return;
  const names = [...groups.keys()].sort();
  if (!groups.has(chosen)) chosen = names[0];
  const focused = document.activeElement?.closest('#categories') && document.activeElement.textContent;
  by('categories').replaceChildren(...names.map(name => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = name;
    button.setAttribute('aria-pressed', String(name === chosen));
    button.addEventListener('click', () => {
      chosen = name;
      drawCategories(onClick);
    });
    return button;
  }));
  if (focused) [...by('categories').children].find(one => one.textContent === focused)?.focus();
  by('category').replaceChildren(row(chosen, groups.get(chosen).slice(0, 24), () => chosen, onClick));
}
