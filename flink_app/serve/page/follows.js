// Whom the visitor follows, and whom else to follow. In: what the job knows of the visitor, authors
// of posts. Out: a line of the visitor's profile.

import { ask } from './api.js';

const MOST = 64; // words in one line
let words = [];
let liked = [];

export function become() {
  words = [];
  liked = [];
}

/** Ask the job whom the visitor follows. Resolves to the items the visitor has liked before. */
export async function met(user, stillThere) {
  const { said, history = [] } = await ask('GET', user, '/data');
  if (!stillThere()) return [];
  if (Array.isArray(said?.follows)) words = said.follows;
  return history.filter(one => one.liked).flatMap(one => one.item ?? []);
}

/** Two words for each person: for what they publish, and for what they like. */
const wordsOf = person => [person, `author:${person}`, `provider:${person}`];

export function follows(person) {
  return wordsOf(person).some(word => words.includes(word));
}

/** Follow a person, or do not any more; returns the line that says so. */
export function toggled(user, person) {
  const rest = words.filter(word => !wordsOf(person).includes(word));
  words = follows(person) ? rest : [...rest, ...wordsOf(person).slice(0, 2)].slice(-MOST);
  return { kind: 'profile', user, follows: words };
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
