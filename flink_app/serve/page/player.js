// A player that only pretends: a video takes some seconds. In: the item to play. Out: the events
// watch (value: the share that was watched), rating (1 to 5) and favourite.

import { attribute, category, tags, title } from './api.js';
import { framed } from './cards.js';
import { button, by, element } from './dom.js';
import { row } from './shelves.js';
import * as watched from './watched.js';

const WHOLE_S = 20; // that any video takes
const TICK_MS = 100;
const LEAST = 0.01; // of a video, that counts as watched
const STARS = [1, 2, 3, 4, 5];
let front;
let look;
let parts;
let current = null;
let timer = 0;

/** `given` are `art(item)`, `card(item)`, `open(item)`, and `changed()`, called when something was watched. */
export function start(fronts, given) {
  [front, look] = [fronts, given];
  const player = element('section', 'player');
  player.id = 'player';
  player.hidden = true;
  player.setAttribute('aria-label', 'Player');
  parts = {
    player, screen: element('div', 'screen'), toggle: button('toggle', '', toggle), position: element('input'),
    time: element('span', 'time'), about: element('div', 'about'), similar: element('div', 'similar'),
  };
  const bar = element('div', 'controls');
  parts.screen.addEventListener('click', toggle); // as the button below, which keyboards reach
  Object.assign(parts.position, { type: 'range', min: 0, max: 1000, step: 10 });
  parts.position.setAttribute('aria-label', 'Position');
  parts.position.addEventListener('input', () => move(parts.position.value / 1000));
  bar.append(parts.toggle, parts.position, parts.time, button('close', 'Close', close));
  player.append(parts.screen, bar, parts.about, parts.similar);
  by('stage').append(player);
  addEventListener('pagehide', report);
}

/** Play an item, from where the visitor stopped. */
export function play(item) {
  report();
  const { share = 0 } = watched.of(item);
  const from = share < 0.95 ? share : 0;
  current = { item, share: from, furthest: from, told: from, playing: true };
  parts.screen.replaceChildren(framed(item, look.art));
  parts.similar.replaceChildren();
  describe();
  parts.player.hidden = false;
  show();
  clearInterval(timer);
  timer = setInterval(tick, TICK_MS);
  parts.toggle.focus({ preventScroll: true });
  const quick = matchMedia('(prefers-reduced-motion: reduce)').matches;
  parts.player.scrollIntoView({ block: 'start', behavior: quick ? 'auto' : 'smooth' });
}

/** Stop, and say how much was watched. */
export function close() {
  report();
  discard();
}

/** Stop, and say nothing. */
export function discard() {
  clearInterval(timer);
  current = null;
  if (parts.player.contains(document.activeElement)) by('list').querySelector('button')?.focus();
  parts.player.hidden = true;
}

/** Items like the one that plays. */
export function alike(item, items) {
  if (current?.item !== item) return;
  const heading = items.length ? [element('h3', '', `Because you watch ${title(item)}`)] : [];
  parts.similar.replaceChildren(...heading, row('Similar videos', items, look.card));
  describe(); // the next episode may be known now
}

function toggle() {
  if (current.share >= 1) move(0);
  current.playing = !current.playing;
  show();
}

function tick() {
  if (current.playing) move(Math.min(1, current.share + TICK_MS / 1000 / WHOLE_S));
}

function move(share) {
  current.share = share;
  current.furthest = Math.max(current.furthest, share);
  if (share >= 1) {
    current.playing = false;
    report();
  }
  show();
}

/** Say how much was watched, if that is more than was said. */
async function report() {
  const [played, before] = [current, current?.told];
  if (!played || played.furthest < LEAST || played.furthest <= before) return;
  const { item } = played;
  const value = Math.round(played.furthest * 100) / 100;
  played.told = played.furthest;
  const told = `watched ${Math.round(value * 100)} % of {}`;
  if (!await did({ item, type: 'watch', value }, told, { share: value })) played.told = before;
}

/** Send an event, of which `more` is noted and shown until it is refused. Resolves to whether it was taken. */
async function did(event, told, more) {
  const undo = watched.note(event.item, more);
  const sent = front.did(event, told, 'counted');
  changed();
  if (await sent) return true;
  undo();
  changed();
  return false;
}

function changed() {
  if (current) describe();
  look.changed();
}

function show() {
  const { share, playing, item } = current;
  const whole = Number(attribute(item, 'duration_s')) || 0;
  const now = whole ? `${clock(share * whole)} of ${clock(whole)}` : `${Math.round(share * 100)} %`;
  parts.position.value = Math.round(share * 1000);
  parts.position.setAttribute('aria-valuetext', now);
  parts.time.textContent = now;
  parts.toggle.textContent = playing ? '❚❚' : '▶';
  parts.toggle.setAttribute('aria-label', playing ? 'Pause' : 'Play');
  parts.player.classList.toggle('paused', !playing);
}

/** 3,725 s are 1:02:05. */
function clock(seconds) {
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds % 60)];
  const two = number => String(number).padStart(2, '0');
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

function describe() {
  const { item } = current;
  const { stars = 0, favourite = false } = watched.of(item);
  const focused = parts.about.contains(document.activeElement) && document.activeElement.dataset.does;
  const told = element('p', 'note', [look.episode(item), category(item), ...tags(item).slice(0, 4)].filter(Boolean).join(' · '));
  const actions = element('div', 'actions');
  const rating = element('div', 'stars');
  rating.setAttribute('role', 'group');
  rating.setAttribute('aria-label', 'Your rating');
  rating.append(...STARS.map(number => {
    const made = does(`stars ${number}`, number <= stars ? '★' : '☆', () => rate(number));
    made.setAttribute('aria-label', number === 1 ? '1 star' : `${number} stars`);
    made.setAttribute('aria-pressed', String(number === stars));
    return made;
  }));
  const heart = does('favourite', favourite ? '♥ Favourite' : '♡ Favourite', like);
  heart.setAttribute('aria-pressed', String(favourite));
  actions.append(rating, heart);
  const following = watched.next(item);
  if (following !== undefined) actions.append(does('next', `Next: ${title(following)}`, () => look.open(following)));
  parts.about.replaceChildren(element('h2', '', title(item)), told, actions);
  if (focused) parts.about.querySelector(`[data-does="${focused}"]`)?.focus({ preventScroll: true });
}

function does(what, text, onClick) {
  const made = button('', text, onClick);
  made.dataset.does = what;
  return made;
}

function rate(stars) {
  did({ item: current.item, type: 'rating', value: stars }, `gave ${stars} of 5 stars to {}`, { stars });
}

function like() {
  if (watched.of(current.item).favourite) return;
  did({ item: current.item, type: 'favourite' }, 'marked {} as a favourite', { favourite: true });
}
