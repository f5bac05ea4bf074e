// Draws the visitor's list so that the eye can follow it: cards move from their old places.
// In: entries, what moved, how the look draws a card. Out: the elements of the list.

import { mark } from './cards.js';
import { by, keepingFocus } from './dom.js';

/**
 * Show the entries. `newCard(item)` makes a card, `fill(card, entry, place)` writes into it; `moves`
 * says what moved, or is null for the first list of a visitor.
 */
export function draw(entries, moves, newCard, fill) {
  const shown = by('list');
  const old = new Map([...shown.children].map(card => [card.dataset.item, card]));
  const places = new Map([...old].map(([item, card]) => [item, card.getBoundingClientRect()]));
  const cards = entries.map((entry, place) => {
    const card = old.get(entry.item) ?? newCard(entry.item);
    fill(card, entry, place);
    card.classList.remove('clicked');
    mark(card, moves?.of(entry.item));
    return card;
  });
  const inList = shown.contains(document.activeElement);
  keepingFocus(() => shown.replaceChildren(...cards), focused => inList
    && (focused.isConnected ? focused : cards[0]?.querySelector('button')));
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
