// What can be browsed: items by category. In: ids that lists have named. Out: chips and a row.
// The server has no catalogue: only items that its lists have named so far can be browsed.

import { about, category } from './api.js';
import { button, by, keepingFocus } from './dom.js';
import { row, similarTo } from './shelves.js';

const SEEDS = 8; // popular items whose similar ones are added to what can be browsed,
const ENOUGH = 60; // until this many items are known
const SHOWN = 24;
const seen = new Set();
let chosen = '';

export function note(items) {
  for (const item of items) seen.add(item);
}

/** Look up what is similar to popular items, to have more to browse. */
export async function explore(popular, card) {
  if (seen.size >= ENOUGH) return;
  const found = await Promise.all(popular.slice(0, SEEDS).map(similarTo));
  await about(found.flat()).catch(() => {});
  note(found.flat());
  browse(card);
}

/** The items that are shown of the chosen category. */
export function shown() {
  return [...seen].filter(item => category(item) === chosen).slice(0, SHOWN);
}

/** Draw the categories, and the items of the chosen one; `card(item)` makes a card. */
export function browse(card) {
  const names = [...new Set([...seen].map(category))].filter(Boolean).sort();
  by('browse').hidden = names.length < 2;
  if (names.length < 2) return;
  if (!names.includes(chosen)) chosen = names[0];
  const focused = document.activeElement?.closest('#categories') && document.activeElement.textContent;
  keepingFocus(() => by('categories').replaceChildren(...names.map(name => {
    const made = button('', name, () => {
      chosen = name;
      browse(card);
    });
    made.setAttribute('aria-pressed', String(name === chosen));
    return made;
  })), () => focused && [...by('categories').children].find(one => one.textContent === focused));
  by('category').replaceChildren(row(chosen, shown(), card));
}
