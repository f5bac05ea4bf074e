// Shelves: rows of cards below the list. In: lists from the server. Out: headings and rows.

import { get } from './api.js';
import { by, element, keepingFocus } from './dom.js';

const LENGTH = 16;

/** The items of a list of the server; none if it has no such list yet. */
export async function listed(path, more = {}) {
  try {
    const query = new URLSearchParams({ n: LENGTH, ...more });
    return (await get(`${path}?${query}`)).items.map(entry => entry.item);
  } catch {
    return []; // a new item has no similar ones yet
  }
}

export function similarTo(item) {
  return listed(`/similar/${encodeURIComponent(item)}`);
}

/** A heading and a row of cards, or nothing of no items; `card(item)` makes a card. */
export function shelf(name, items, card) {
  return items.length ? [element('h2', '', name), row(name, items, card)] : [];
}

export function row(name, items, card) {
  const made = element('ul', 'shelf');
  made.setAttribute('aria-label', name);
  made.append(...items.map(card));
  return made;
}

/** Put shelves into their place. */
export function drawShelves(shelves) {
  const item = document.activeElement?.closest('#shelves .card')?.dataset.item;
  keepingFocus(() => by('shelves').replaceChildren(...shelves), () => item !== undefined
    && [...by('shelves').querySelectorAll('.card')].find(one => one.dataset.item === item)?.firstChild);
}
