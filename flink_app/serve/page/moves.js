// What moved between two lists, not counting the place gained when the clicked item above leaves.
// In: entries before and after, and the clicked item. Out: places gained, by item.

export class Moves {
  constructor(before, after, clicked) {
    const rest = before.map(entry => entry.item).filter(item => item !== clicked);
    const places = new Map(rest.map((item, place) => [item, place]));
    this.gained = new Map(after.map(({ item }, place) => [
      item, places.has(item) ? places.get(item) - place : null,
    ]));
  }

  /** Places up (above 0) or down; null for an item that came in. */
  of(item) {
    return this.gained.get(item);
  }

  told() {
    const all = [...this.gained.values()];
    const up = all.filter(one => one > 0).length;
    const fresh = all.filter(one => one === null).length;
    const parts = [up && `${up} moved up`, fresh && `${fresh} came in`].filter(Boolean);
    return parts.join(', ') || 'the same order';
  }
}
