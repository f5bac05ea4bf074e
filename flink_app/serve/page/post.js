// A post of a feed: who, when, what, and what one can do with it. In: an item's id, what the visitor
// has done with it. Out: an element, whose buttons call what they are given.

import { all, attribute, category, image, moment, tags, text, title } from './api.js';
import { avatar } from './avatars.js';
import { framed } from './cards.js';
import { button, element } from './dom.js';

const LAST = 0.25; // in this share of its life a post says that it is gone soon
const ACTIONS = [
  ['like', '♡ Like', '♥ Liked'], ['talk', 'Comment', 'Comment'], ['share', 'Share', 'Shared'], ['less', 'Not for me', 'Not for me'],
];

/** The id of a post's author. */
export const author = item => text(item, 'provider');

/** What an author is called, by id. */
export function nameOf(person) {
  const told = all().find(item => author(item) === person && typeof attribute(item, 'author') === 'string');
  return told === undefined ? person : attribute(told, 'author');
}

export const expired = item => moment(item, 'expires') <= Date.now();

/** A post; `does` are functions of an item by action: open, like, talk, share, less, follow, say. */
export function newPost(item, does) {
  const card = element('li', 'card post');
  card.dataset.item = item;
  const head = element('header');
  const who = element('div', 'who');
  const name = element('span', 'named');
  name.append(element('strong', 'author'), element('span', 'handle'));
  who.append(name, element('span', 'when'));
  head.append(avatar(author(item) || item), who, element('span', 'move'), button('follow quiet', '', () => does.follow(author(item))));
  const body = button('body', '', () => does.open(item));
  const picture = image(item) ? [framed(item)] : [];
  const actions = element('div', 'actions');
  actions.append(...ACTIONS.map(([name]) => button(name, '', () => does[name](item))));
  card.append(head, body, ...picture, element('p', 'tags'), element('p', 'why'), actions, comments(item, does.say));
  return card;
}

/** The comments of a post, and a box to write one. */
function comments(item, say) {
  const made = element('div', 'comments');
  made.hidden = true;
  const form = element('form');
  form.autocomplete = 'off';
  const words = element('input');
  Object.assign(words, { required: true, maxLength: 500, placeholder: 'Write a comment' });
  words.setAttribute('aria-label', 'Your comment');
  const send = element('button', '', 'Send');
  send.type = 'submit';
  form.append(words, send);
  form.addEventListener('submit', async event => {
    event.preventDefault();
    const said = words.value.trim();
    words.value = '';
    if (said && !await say(item, said)) words.value ||= said; // to send it once more
  });
  made.append(element('ul'), form);
  return made;
}

/** Write what is known of a post, and `done`: the actions done, `comments`, `open`. */
export function fillPost(card, why, done, followed) {
  const { item } = card.dataset;
  const part = name => card.querySelector(`.${name}`);
  const [name, published, expires] = [nameOf(author(item)), moment(item, 'published'), moment(item, 'expires')];
  part('author').textContent = name || 'somebody';
  part('handle').textContent = name === author(item) ? '' : `@${author(item)}`;
  part('when').textContent = [ago(published), category(item), left(expires - Date.now())].filter(Boolean).join(' · ');
  part('when').classList.toggle('soon', expires - Date.now() < LAST * (expires - published));
  part('body').textContent = text(item, 'text') || title(item);
  part('body').setAttribute('aria-expanded', String(done.open));
  part('tags').textContent = tags(item).map(tag => `#${tag}`).join(' ');
  part('why').textContent = why;
  part('follow').hidden = !author(item);
  part('follow').textContent = followed ? 'Following' : 'Follow';
  part('follow').setAttribute('aria-label', `Follow ${name}`);
  part('follow').setAttribute('aria-pressed', String(followed));
  for (const [name, before, after] of ACTIONS) {
    part(name).textContent = done.actions.has(name) ? after : before;
    if (name !== 'talk') part(name).setAttribute('aria-pressed', String(done.actions.has(name)));
  }
  part('talk').setAttribute('aria-expanded', String(done.open));
  part('comments').querySelector('ul').replaceChildren(...done.comments.map(said => element('li', '', said)));
  part('comments').hidden = !done.open;
}

/** How long ago a moment was, as people say it; '' if it is not known. */
export function ago(ms) {
  const minutes = Math.round((Date.now() - ms) / 60_000);
  if (Number.isNaN(minutes)) return '';
  return minutes < 1 ? 'just now' : `${spell(minutes)} ago`;
}

function left(ms) {
  if (Number.isNaN(ms)) return '';
  return ms > 0 ? `expires in ${spell(Math.max(1, Math.round(ms / 60_000)))}` : 'expired';
}

function spell(minutes) {
  if (minutes < 60) return `${minutes} min`;
  return minutes < 2880 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1440)} days`;
}
