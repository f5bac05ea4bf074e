// Whom the visitor follows, and whom else to follow. In: what the job knows of the visitor, authors
// of posts. Out: lines of the visitor's profile, one for each id that is theirs.

import { ask } from './api.js';

const MOST = 64; // words in one line
let words = [];
let liked = [];
let ids = []; // what the visitor is called: what all of these follow adds up
let asked = null; // what the job knows of the visitor, once it was asked: a promise

export function become() {
  words = [];
  liked = [];
  ids = [];
  asked = null;
}

/**
 * Ask the job whom the visitor follows, unless it has said so. Resolves to the items the visitor has
 * liked before; rejects with a Problem, and is asked again the next time.
 */
export function met(user) {
  if (asked) return asked;
  const own = ask('GET', user, '/data').then(({ said, ids: all, history = [] }) => {
    if (asked !== own) return []; // another visitor has come
    words = Array.isArray(said?.follows) ? said.follows : [];
    ids = [user, ...(all ?? []).map(one => one.id).filter(id => id !== user)];
    return history.filter(one => one.liked).flatMap(one => one.item ?? []);
  });
  asked = own;
  own.catch(() => { if (asked === own) asked = null; });
  return own;
}

/** Two words for each person: for what they publish, and for what they like. */
const wordsOf = person => [person, `author:${person}`, `provider:${person}`];

export function follows(person) {
  return wordsOf(person).some(word => words.includes(word));
}

/**
 * Follow a person, or do not any more, once `met` has resolved. Returns the lines that say so, the
 * visitor's own first; none if these are as many as one can follow.
 *
 * A line replaces what its id followed before. Several ids may follow more than fits into one line:
 * then each names its part.
 */
export function toggled(person) {
  const rest = words.filter(word => !wordsOf(person).includes(word));
  if (!follows(person) && rest.length + 2 > MOST) return [];
  words = follows(person) ? rest : [...rest, ...wordsOf(person).slice(0, 2)];
  const part = n => (words.length > MOST ? words.slice(n * MOST, (n + 1) * MOST) : words);
  return ids.map((user, n) => ({ kind: 'profile', user, follows: part(n) }));
}

/** A line was refused: the job is asked once more before the next one. */
export function refused(person, before) {
  if (follows(person) !== before) toggled(person);
  asked = null;
}

/** The people the visitor follows, the last one first. */
export function followed() {
  return [...new Set(words.flatMap(word => /^(?:author|provider):(.*)$/s.exec(word)?.[1]
    ?? (word.startsWith('category:') ? [] : word)))].reverse();
}

/** Note whose posts the visitor likes. */
export function likes(people) {
  liked = [...new Set([...people.filter(Boolean), ...liked])];
}

/** Whom to follow: authors of what was liked, then `others`. */
export function proposed(others) {
  return [...new Set([...liked, ...others])].filter(person => person && !follows(person));
}
