// The box to write a post, and the visitor's own posts. In: words and a topic. Out: a line about an
// item, which others then have in their lists. Own posts are kept in this tab, for each visitor.

import { put } from './api.js';
import { by, element } from './dom.js';
import { ago } from './post.js';

const KEY = 'millirec-posts-';
const LIFE_MS = 6 * 3600_000;
const TITLE_WORDS = 8;
let user = '';
let posts = [];

export function start(front) {
  const form = element('form', 'write');
  form.id = 'write';
  form.autocomplete = 'off';
  const label = element('label', '', 'Write a post');
  label.htmlFor = 'words';
  const words = element('textarea');
  Object.assign(words, { id: 'words', required: true, maxLength: 1000, rows: 1, placeholder: 'What is new? #tags' });
  const topic = element('input');
  Object.assign(topic, { id: 'topic', maxLength: 60, placeholder: 'Topic' });
  topic.setAttribute('aria-label', 'Topic');
  topic.setAttribute('list', 'topics');
  const topics = element('datalist');
  topics.id = 'topics';
  const send = element('button', '', 'Post');
  send.type = 'submit';
  const fields = element('div', 'fields');
  fields.append(topic, topics, send);
  form.append(label, words, fields);
  form.addEventListener('submit', front.trying(async () => {
    const post = postOf(words.value.trim(), topic.value.trim());
    if (!post.text) return;
    await put(post);
    words.value = '';
    keep([post, ...posts]);
    front.say('Your post is out. Others have it in their lists from now on; you do not, since it is yours.');
  }));
  const own = element('div');
  own.id = 'own';
  by('stage').append(form, own);
}

export function become(name) {
  user = name;
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY + user));
    posts = Array.isArray(kept) ? kept : [];
  } catch {
    posts = []; // damaged: as if none
  }
  draw();
}

export function forget(name) {
  sessionStorage.removeItem(KEY + name);
}

/** The topics that are proposed. */
export function propose(topics) {
  by('topics').replaceChildren(...topics.map(name => Object.assign(element('option'), { value: name })));
}

function postOf(text, topic) {
  const random = [...crypto.getRandomValues(new Uint8Array(8))].map(one => one.toString(16).padStart(2, '0')).join('');
  const words = text.split(/\s+/);
  const tags = [...text.matchAll(/#([\p{L}\p{N}_]+)/gu)].map(([, tag]) => tag.toLowerCase());
  return {
    item: `post-${random}`, title: words.slice(0, TITLE_WORDS).join(' ') + (words.length > TITLE_WORDS ? ' …' : ''),
    text, provider: user, ...(topic && { categories: [topic] }), ...(tags.length && { tags: [...new Set(tags)].slice(0, 10) }),
    published: Date.now(), expires: Date.now() + LIFE_MS,
  };
}

function keep(changed) {
  posts = changed;
  sessionStorage.setItem(KEY + user, JSON.stringify(posts));
  draw();
}

/** The visitor's own posts that are still out. */
export function draw() {
  posts = posts.filter(post => post.expires > Date.now());
  const made = posts.map(post => {
    const line = element('li');
    line.append(element('span', '', String(post.text)), element('span', 'note', ago(post.published)));
    return line;
  });
  const list = element('ul');
  list.append(...made);
  by('own').replaceChildren(...(made.length ? [element('h2', '', 'Your posts'), list] : []));
}
