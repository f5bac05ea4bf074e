// Item cards for the list and the shelves. In: an item's id. Out: an element.

import { category, title } from './api.js';
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
  art.append(picture(item, category(item)));
  button.append(art, ...['rank', 'move', 'title', 'why'].map(name => {
    const part = document.createElement('span');
    part.className = name;
    return part;
  }));
  card.append(button);
  return card;
}

export function fill(card, why, rank = '') {
  card.querySelector('.title').textContent = title(card.dataset.item);
  card.querySelector('.why').textContent = why;
  card.querySelector('.rank').textContent = rank;
}

/** How far an item moved: ▲3, ▼1 or new; in words for screen readers. */
export function mark(card, gained) {
  const shown = card.querySelector('.move');
  shown.className = 'move';
  shown.textContent = '';
  shown.removeAttribute('role');
  shown.removeAttribute('aria-label');
  if (!gained && gained !== null) return;
  const words = gained === null ? 'new' : `${gained > 0 ? 'up' : 'down'} ${Math.abs(gained)}`;
  shown.textContent = gained === null ? 'new' : `${gained > 0 ? '▲' : '▼'}${Math.abs(gained)}`;
  shown.classList.add(gained === null ? 'new' : gained > 0 ? 'up' : 'down');
  shown.setAttribute('role', 'img');
  shown.setAttribute('aria-label', words);
}

export function because(entry) {
  return Array.isArray(entry.why?.because) ? entry.why.because : [];
}

/** Why an item is in a list, in words; `like` is an earlier clicked item that it is similar to. */
export function reason(entry, like) {
  const [first] = because(entry);
  if (first !== undefined) return `because you watched ${title(first)}`;
  const why = WORDS.get(entry.why?.model) ?? 'chosen for you';
  return like === undefined ? why : `${why}, similar to ${title(like)}`;
}
