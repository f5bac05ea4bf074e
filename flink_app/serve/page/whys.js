// Why an item is in the visitor's list, as the job answers it, and the wish for less like it.
// In: an item; front.js. Out: a link on its card, a dialog, an event dislike.

import { about, get, title } from './api.js';
import { by, element } from './dom.js';
import { named } from './reasons.js';

let front;
let asked = '';

/** `given` is front.js's. */
export function start(given) {
  front = given;
  by('why').addEventListener('close', () => {
    const less = by('why').returnValue === 'less';
    by('why').returnValue = ''; // else Escape would say the last word once more
    if (less) front.less(asked);
  });
}

/** A link that opens the answer; without this script, it leads to the answer itself. */
export function linked(card) {
  const { item } = card.dataset;
  const link = element('a', 'ask', 'Why?');
  link.addEventListener('click', front.trying(() => ask(item)));
  card.append(link);
  return card;
}

/** Write who asks, and what, into the link of a card. */
export function label(card, user) {
  const link = card.querySelector('.ask');
  link.href = path(user, card.dataset.item);
  link.setAttribute('aria-label', `Why ${title(card.dataset.item)}?`);
}

function path(user, item) {
  return `/why/${encodeURIComponent(user)}/${encodeURIComponent(item)}`;
}

async function ask(item) {
  const user = front.user();
  const found = await get(named(path(user, item)));
  await about((found.events ?? []).flatMap(one => one.item ?? [])).catch(() => {});
  if (user !== front.user()) return;
  asked = item;
  by('why-of').textContent = title(item);
  by('because').replaceChildren(...found.sentences.map(one => element('li', '', one)));
  const sums = (found.ranker?.parts ?? []).filter(one => Math.abs(one.adds) >= 0.005);
  fill('adds', sums.sort((one, other) => Math.abs(other.adds) - Math.abs(one.adds)).map(one => [one.feature, number(one.adds)]));
  fill('without', (found.events ?? []).map(one => [one.item === undefined ? one.key : title(one.item), one.place ?? 'not in it']));
  by('answer').textContent = JSON.stringify(found, null, 2);
  by('why').showModal();
}

function number(value) {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`;
}

/** Rows of two cells; a table without rows is not there. */
function fill(id, rows) {
  const table = by(id);
  table.hidden = !rows.length;
  table.tBodies[0].replaceChildren(...rows.map(cells => {
    const row = element('tr');
    row.append(...cells.map(cell => element('td', '', String(cell))));
    return row;
  }));
}
