// Item cards for lists and shelves. In: an item's id, its picture, its texts. Out: an element.

import { image } from './api.js';
import { button, element } from './dom.js';

/**
 * A card; `onClick(item)` is called when it is chosen. It has a place for a picture, which `art`
 * draws unless the item has one, for rank, move and badge, and for each of `parts`.
 */
export function newCard(item, onClick, art, parts) {
  const card = element('li', 'card');
  card.dataset.item = item;
  const shown = button('', '', () => onClick(item));
  shown.append(framed(item, art), ...['rank', 'move', 'badge', ...parts].map(name => element('span', name)));
  card.append(shown);
  return card;
}

/** An item's own picture, or the one that `art(item)` draws. */
export function framed(item, art) {
  const frame = element('span', 'art');
  frame.append(image(item) ? photograph(image(item)) : art(item));
  return frame;
}

function photograph(url) {
  const shown = element('img');
  shown.src = url;
  shown.alt = '';
  return shown;
}

/** Set the texts of a card's parts, by name. */
export function fill(card, texts) {
  for (const [name, text] of Object.entries(texts)) card.querySelector(`.${name}`).textContent = text;
}

/** How far an item moved: ▲3, ▼1 or + if it came in; in words for screen readers. */
export function mark(card, gained) {
  const shown = card.querySelector('.move');
  shown.className = 'move';
  shown.textContent = '';
  shown.removeAttribute('role');
  shown.removeAttribute('aria-label');
  if (!gained && gained !== null) return;
  const words = gained === null ? 'came in' : `${gained > 0 ? 'up' : 'down'} ${Math.abs(gained)}`;
  shown.textContent = gained === null ? '+' : `${gained > 0 ? '▲' : '▼'}${Math.abs(gained)}`;
  shown.classList.add(gained === null ? 'in' : gained > 0 ? 'up' : 'down');
  shown.setAttribute('role', 'img');
  shown.setAttribute('aria-label', words);
}
