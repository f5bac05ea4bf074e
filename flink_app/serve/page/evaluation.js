// What the last evaluation has found, for those who decide: sentences, pictures, and their figures as tables.
// In: GET /evaluation. Out: the part of the operators' view that shows it.

import { get } from './api.js';
import { by, element } from './dom.js';
import { plot } from './plots.js';

let shown = '';

/** Show what there is now; what is the same as before is left alone, with what is open in it. */
export async function look() {
  if (document.hidden) return;
  try {
    const found = await get('/evaluation');
    const text = JSON.stringify(found);
    if (text === shown) return;
    shown = text;
    by('evaluated').textContent = found.at ? `From an evaluation of ${found.text}, written ${moment(found.at)}.` : found.text;
    by('findings').replaceChildren(...found.sections.map(section));
  } catch (error) {
    by('evaluated').textContent = error.message;
  }
}

function moment(ms) {
  return new Date(ms).toLocaleString('en-GB', { dateStyle: 'long', timeStyle: 'short' });
}

function section({ title, alarm, facts, text, figure, legend, grid, width }) {
  const made = element('article', width === 'full' ? 'finding wide' : 'finding');
  made.append(element('h3', '', title));
  if (alarm) made.append(element('p', 'alarm', alarm));
  if (facts.length) made.append(list(facts));
  if (text) made.append(element('p', 'note', text));
  const drawn = figure && plot(figure);
  if (drawn) made.append(drawn);
  if (legend.length > 1) made.append(names(legend));
  if (grid) made.append(table(title, grid));
  return made;
}

function list(facts) {
  const made = element('ul', 'facts');
  made.append(...facts.map(fact => element('li', '', fact)));
  return made;
}

function names(legend) {
  const made = element('p', 'names note');
  made.append(...legend.map(({ label, colour }) => element('span', `c${colour}`, label)));
  return made;
}

function table(title, { head, rows }) {
  const made = element('table');
  made.append(element('caption', '', title));
  const first = made.createTHead().insertRow();
  for (const name of head) {
    const cell = element('th', '', name);
    cell.scope = 'col';
    first.append(cell);
  }
  const body = made.createTBody();
  for (const [name, ...cells] of rows) {
    const row = body.insertRow();
    const named = element('th', '', name);
    named.scope = 'row';
    row.append(named, ...cells.map(cell => element('td', '', cell)));
  }
  const [folded, scroll] = [element('details'), element('div', 'scroll')];
  scroll.tabIndex = 0;
  scroll.append(made);
  folded.append(element('summary', '', 'The figures'), scroll);
  return folded;
}
