// Why an item is in a list, in words. In: an entry of a list, and what the visitor did. Out: text.

import { inCommon, title } from './api.js';
import { WORDS } from './words.js';

const asked = new URLSearchParams(location.search).get('words');

/** A path that asks for reasons in the language of the page's address, such as /?words=de. */
export function named(path) {
  return asked ? `${path}${path.includes('?') ? '&' : '?'}words=${encodeURIComponent(asked)}` : path;
}

export function because(entry) {
  return Array.isArray(entry.why?.because) ? entry.why.because : [];
}

/**
 * The reason of an entry.
 *
 * `like` is an item the visitor has touched lately that this one is similar to, `words` are what
 * was last searched for, `verb` says what visitors do with items, `nameOf` what people are called.
 */
export function reason(entry, { like, words, verb, nameOf = id => id }) {
  const { model, followed, text } = entry.why ?? {};
  if (typeof text === 'string') return text; // in the language that the page asks for
  if (typeof followed === 'string') return forTheSakeOf(followed, nameOf);
  const [first] = because(entry);
  const content = model === 'content';
  if (content && first === undefined && words) return `fits “${words}”`;
  if (content && first !== undefined) {
    const both = inCommon(entry.item, first);
    return `like ${title(first)}${both.length ? `: ${both.join(', ')}` : ''}`;
  }
  if (first !== undefined) return `because you ${verb} ${title(first)}`;
  const why = WORDS.get(model) ?? 'chosen for you';
  return like === undefined ? why : `${why}, similar to ${title(like)}`;
}

/** Whom or what the visitor follows: a user, the provider of the item, or a category. */
function forTheSakeOf(followed, nameOf) {
  const [, kind, name] = /^(author|provider|category):(.*)$/s.exec(followed) ?? [];
  if (kind === 'category') return `new in ${name}, which you follow`;
  return kind ? `by ${nameOf(name)}, whom you follow` : `${nameOf(followed)}, whom you follow, liked it`;
}
