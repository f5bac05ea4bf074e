// What a visitor may ask for: to log in, to see what is known, to be forgotten.
// In: the buttons below the visitor's name. Out: requests about the visitor, and the answers in words.

import { about, ask, send, title } from './api.js';
import { by, element } from './dom.js';

const SHOWN = 50; // of a history, by title; all of it is in the answer below

/** `front` is front.js's, with `forgetting()`, called before a user is forgotten, and `forgotten(user)`, after. */
export function start(front) {
  by('login').addEventListener('submit', front.trying(() => logIn(front)));
  by('know').addEventListener('click', front.trying(() => know(front)));
  by('forget').addEventListener('click', event => { event.preventDefault(); by('sure').showModal(); });
  by('sure').addEventListener('close', front.trying(async () => {
    const yes = by('sure').returnValue === 'yes';
    by('sure').returnValue = ''; // else Escape would say the last word once more
    if (yes) await forget(front);
  }));
}

async function logIn(front) {
  const visitor = front.user();
  const account = by('account').value.trim();
  if (!account || account === visitor) return;
  await send({ kind: 'link', user: visitor, to: account });
  by('account').value = '';
  front.become(account);
  front.say(`You are logged in as ${account}. What ${visitor} did is yours too.`);
}

async function know(front) {
  const known = await ask('GET', front.user(), '/data');
  await about(latest(known).flatMap(one => one.item ?? [])).catch(() => {});
  by('known-of').textContent = `What is known of ${known.user}`;
  by('in-words').replaceChildren(...told(known).flatMap(([name, text]) => [
    element('dt', '', name), element('dd', '', text),
  ]));
  by('raw').textContent = JSON.stringify(known, null, 2);
  by('known').showModal();
}

function latest(known) {
  return (known.history ?? []).slice(0, SHOWN);
}

/** What is known, as pairs of words. */
function told(known) {
  const pairs = [
    ['Lists of your own', known.personalise ? 'yes' : 'no, you do not want them'],
    ['Your ids', known.ids?.map(one => one.id).join(', ')],
    ['What you said of yourself', known.said && JSON.stringify(known.said)],
    ['Events', known.events ?? 'none'],
    ['Last event', known.last_event && new Date(known.last_event).toLocaleString()],
    ['History, the last first', [
      ...latest(known).map(one => (one.item === undefined ? one.key : title(one.item))),
      ...(known.history?.length > SHOWN ? [`and ${known.history.length - SHOWN} more`] : []),
    ].join(', ')],
    ['Your taste', known.factor && `${known.factor.length} numbers`],
    ['Your list', known.list && `${known.list.items.length} items`],
    ['Forgotten before', known.forgotten_at && new Date(known.forgotten_at).toLocaleString()],
  ];
  return pairs.filter(([, text]) => text || text === 0).map(([name, text]) => [name, String(text)]);
}

async function forget(front) {
  const user = front.user();
  front.forgetting(); // what came after the request would be remembered
  const { forgotten, receipt, detail } = await ask('DELETE', user);
  if (!forgotten) {
    front.onProblem(detail);
    return;
  }
  front.forgotten(user);
  const until = new Date(Math.max(new Date(receipt.checkpoints_until), new Date(receipt.source_until)));
  front.say(`${user} is forgotten. Older copies of the job's state and input may be kept until ${until.toLocaleDateString()}.`);
}
