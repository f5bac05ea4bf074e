// The look of a social network: a feed of posts that live for hours, people to follow, a box to write.
// In: see front.js. Out: the events view, like, share, comment and dislike; profiles that say whom
// the visitor follows; and the visitor's posts, as items.

import { about, category, moment, title } from './api.js';
import { avatar } from './avatars.js';
import * as compose from './compose.js';
import { button, by, element, keepingFocus } from './dom.js';
import * as following from './follows.js';
import { ago, author, expired, fillPost, nameOf, newPost } from './post.js';
import { listed } from './shelves.js';

export const TAB = 'Feed';
export const VERB = 'liked';
export const INVITATION = 'Like something.';
export const SEARCH = 'football';

const PEOPLE = 6;
const TRENDING = 6;
const DONE = { like: 'liked “{}”', share: 'shared “{}”', less: 'want less of “{}”' };
const TYPES = { like: 'like', share: 'share', less: 'dislike' };
const topics = new Set();
let front;
let done = new Map(); // what the visitor did with posts, by item
let touched = ''; // the last post that something was done with: it stays where it is
let trending = [];
let turn = 0;

export function start(given) {
  front = given;
  compose.start(front);
}

export function become(user) {
  done = new Map();
  touched = '';
  following.become();
  compose.become(user);
}

export const { forget } = compose;
export { nameOf };

/** The visitor has been here before: who is followed, and whose posts were liked. */
export async function met(user) {
  const items = await following.met(user);
  await about(items);
  if (user !== front.user()) return;
  following.likes(items.map(author));
  drawFollows();
}

/** What is shown of a list: no posts of one's own, nothing that is gone, and the last touched one. */
export function show(entries) {
  const me = front.user();
  const unwanted = item => author(item) === me || expired(item) || done.get(item)?.actions.has('less');
  const shown = entries.filter(({ item }) => !unwanted(item));
  if (!touched || unwanted(touched)) return shown;
  if (shown.some(entry => entry.item === touched)) return shown;
  const place = [...by('list').children].findIndex(card => card.dataset.item === touched);
  shown.splice(Math.max(place, 0), 0, { item: touched });
  return shown;
}

export function note(items) {
  for (const item of items) if (category(item)) topics.add(category(item));
}

function state(item) {
  if (!done.has(item)) done.set(item, { actions: new Set(), comments: [], open: false });
  return done.get(item);
}

export function newCard(item) {
  return newPost(item, { open, like: act('like'), share: act('share'), less: act('less'), talk, say, follow });
}

export function fill(card, entry, place, why) {
  const { item } = card.dataset;
  fillPost(card, entry.why ? why : '', state(item), following.follows(author(item)));
}

/** Do something with a post, once. */
const act = name => async item => {
  const of = state(item);
  if (of.actions.has(name)) return;
  of.actions.add(name);
  touched = item;
  if (name === 'like') following.likes([author(item)]);
  front.redraw();
  drawPeople();
  if (!await front.did({ item, type: TYPES[name] }, DONE[name], 'counted')) {
    of.actions.delete(name);
    front.redraw();
  }
};

async function open(item) {
  const of = state(item);
  talk(item);
  if (of.actions.has('view')) return;
  of.actions.add('view');
  if (!await front.did({ item, type: 'view' }, 'opened “{}”', 'counted')) of.actions.delete('view');
}

/** Open or close the comments of a post. */
function talk(item) {
  state(item).open = !state(item).open;
  touched = item;
  front.refill();
}

/** Comment on a post; resolves to whether that was taken. */
async function say(item, text) {
  const of = state(item);
  of.comments.push(text);
  touched = item;
  front.refill();
  if (await front.did({ item, type: 'comment', text }, 'commented on “{}”', 'counted')) return true;
  of.comments.splice(of.comments.lastIndexOf(text), 1);
  front.refill();
  return false;
}

/** Follow a person, or do not any more. What is sent replaces what was known, so that must be here first. */
async function follow(person) {
  const user = front.user();
  try {
    await following.met(user);
  } catch (error) {
    front.onProblem(`It is not known whom you follow, so nothing is changed. ${error.message}`);
    return;
  }
  if (user !== front.user()) return;
  const before = following.follows(person);
  const lines = following.toggled(person);
  if (!lines.length) {
    front.say('You follow as many as one can.');
    return;
  }
  drawFollows();
  const told = before ? 'do not follow {} any more' : 'follow {}';
  const taken = await Promise.all(lines.map(line => front.did(line, told, 'other', nameOf(person))));
  if (taken.every(Boolean) || user !== front.user()) return;
  following.refused(person, before);
  drawFollows();
}

function drawFollows() {
  front.refill();
  drawPeople();
}

export async function shelves() {
  const own = ++turn;
  const found = await listed('/trending');
  await about(found).catch(() => {});
  if (own !== turn) return; // a later call draws
  trending = found.filter(item => author(item) !== front.user() && !expired(item)).slice(0, TRENDING);
  note(found);
  compose.propose([...topics].sort());
  compose.draw();
  // Time has passed, and posts may have expired.
  if ([...by('list').children].some(card => expired(card.dataset.item))) front.redraw();
  else front.refill();
  drawPeople();
}

function drawPeople() {
  const shown = [...by('list').children].map(card => author(card.dataset.item));
  const me = front.user();
  const proposed = following.proposed(shown).filter(person => person !== me).slice(0, PEOPLE);
  const focused = document.activeElement?.closest('#shelves') && document.activeElement.dataset.does;
  keepingFocus(() => by('shelves').replaceChildren(
    ...side('People to follow', proposed.map(person)),
    ...side('You follow', following.followed().map(person)),
    ...side('Trending', trending.map(small)),
  ), () => focused && [...by('shelves').querySelectorAll('[data-does]')].find(one => one.dataset.does === focused));
}

function side(name, lines) {
  if (!lines.length) return [];
  const list = element('ul', 'side');
  list.setAttribute('aria-label', name);
  list.append(...lines);
  return [element('h2', '', name), list];
}

function person(name) {
  const line = element('li');
  const followed = following.follows(name);
  const made = button('quiet', followed ? 'Following' : 'Follow', () => follow(name));
  made.setAttribute('aria-label', `Follow ${nameOf(name)}`);
  made.setAttribute('aria-pressed', String(followed));
  made.dataset.does = `follow ${name}`;
  line.append(avatar(name), element('span', 'name', nameOf(name)), made);
  return line;
}

/** A post in a word; chosen, it comes to the top of the feed. */
function small(item) {
  const line = element('li');
  const made = button('plain', title(item), () => {
    touched = item;
    front.redraw();
    [...by('list').children].find(card => card.dataset.item === item)?.scrollIntoView({ block: 'nearest' });
    open(item);
  });
  made.dataset.does = `open ${item}`;
  line.append(made, element('span', 'note', [nameOf(author(item)), ago(moment(item, 'published'))].filter(Boolean).join(' · ')));
  return line;
}
