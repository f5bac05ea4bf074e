// Helpers to build the page. In: names and texts. Out: elements; text is inserted as text, never as HTML.

export const by = id => document.getElementById(id);

export function element(tag, name, text) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  return made;
}

export function button(name, text, onClick) {
  const made = element('button', name, text);
  made.type = 'button';
  made.addEventListener('click', onClick);
  return made;
}

/** Change a part of the page; if that takes the focus away, what `find(focused)` returns gets it. */
export function keepingFocus(change, find) {
  const focused = document.activeElement;
  change();
  if (focused === document.activeElement) return;
  const found = find(focused);
  if (found) found.focus({ preventScroll: true });
}
