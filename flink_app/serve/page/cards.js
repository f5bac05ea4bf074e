// Item cards for the list and the shelves. In: an item's id. Out: an element.

import { category, image, inCommon, isNew, price, title } from './api.js';
import { picture } from './pictures.js';
import { WORDS } from './words.js';

/** A card; `onClick(item)` is called when it is chosen. Titles are inserted as text, never as HTML. */
export function newCard(item, onClick) {
  const card = document.createElement('li');
  card.className = 'card';
  card.dataset.item = item;
  const button = document.createElement('button');
  button.type = 'button';
  button.addEventListener('click', () => onClick(item));
  const art = document.createElement('span');
  art.className = 'art';
  art.append(image(item) ? photograph(image(item)) : picture(item, category(item)));
  button.append(art, ...['rank', 'move', 'badge', 'title', 'price', 'why'].map(name => {
    const part = document.createElement('span');
    part.className = name;
    return part;
  }));
  card.append(button);
  return card;
}

function photograph(url) {
  const shown = document.createElement('img');
  shown.src = url;
  shown.alt = '';
  return shown;
}

export function fill(card, why, rank = '') {
  const { item } = card.dataset;
  card.querySelector('.title').textContent = title(item);
  card.querySelector('.price').textContent = price(item);
  card.querySelector('.badge').textContent = isNew(item) ? 'new' : '';
  card.querySelector('.why').textContent = why;
  card.querySelector('.rank').textContent = rank;
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

export function because(entry) {
  return Array.isArray(entry.why?.because) ? entry.why.because : [];
}

/** Why an item is in a list, in words; `like` is an earlier clicked item that it is similar to, and
 * `words` are what was last searched for. */
export function reason(entry, like, words) {
  const [first] = because(entry);
  const content = entry.why?.model === 'content';
  if (content && first === undefined && words) return `fits “${words}”`;
  if (content && first !== undefined) {
    const both = inCommon(entry.item, first);
    return `like ${title(first)}${both.length ? `: ${both.join(', ')}` : ''}`;
  }
  if (first !== undefined) return `because you watched ${title(first)}`;
  const why = WORDS.get(entry.why?.model) ?? 'chosen for you';
  return like === undefined ? why : `${why}, similar to ${title(like)}`;
}
