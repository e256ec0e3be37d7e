// The images that the labelling page goes through: their boxes, what of these is saved, and what the published version would say.

import { send } from './api.js';

const Largest = 2048; // pixels of a side: as large as the API makes them
const Asked = 8; // images at once; the next ones are asked for when half of these are used up

let keys = 0;

/** A box with a key that it keeps while it changes. */
export const boxed = (category, { x, y, width, height, difficult = false }) =>
  ({ key: `box-${keys++}`, category, x, y, width, height, difficult });

/** Appends images of the API that are not among the pictures yet. */
export function add(pictures, model, images) {
  const there = new Set(pictures.map(picture => picture.image.id));
  for (const image of images.filter(({ id }) => !there.has(id))) {
    const stored = image.boxes?.map(box => boxed(box.category, box)) ?? null; // null: nobody has looked yet
    // A JPEG, upright whatever the file says, that every browser can show.
    const source = `api/v1/models/${model}/images/${image.id}/content?size=${Largest}`;
    const own = { image, name: image.fileName.split('/').at(-1), source, stored, boxes: stored ?? [], empty: false };
    pictures.push({ ...own, past: [], future: [], group: null, suggestions: null, dismissed: new Set() });
  }
}

/** Whether there is something that going on would save. "Nothing here" is saved; boxes that were undone are not. */
export const unsaved = ({ stored, boxes, empty }) =>
  (stored === null ? empty || boxes.length > 0 : boxes !== stored && JSON.stringify(boxes) !== JSON.stringify(stored));

/**
 * Asks the published version about the next few images, and brings those it is least sure of to the front of what nobody has seen yet.
 * Without a version, or with one that does not answer with boxes, nothing happens: suggestions are a help, never a condition.
 */
export async function guess(labelling) {
  const { pictures, model } = labelling;
  const ahead = pictures.slice(labelling.at);
  const known = ahead.findIndex(picture => picture.suggestions === null);
  if (labelling.version === null || labelling.asking || known < 0 || known > Asked / 2) return;
  const next = ahead.filter(picture => picture.suggestions === null).slice(0, Asked);
  labelling.asking = true;
  try {
    const form = new FormData();
    for (const { source, image } of next) form.append('file', await (await fetch(source)).blob(), `${image.id}.jpg`);
    const { predictions } = await send('POST', `models/${model}/predictions`, form);
    next.forEach((picture, i) => { picture.suggestions = predictions[i].error ? [] : predictions[i].objects.map(suggestion); });
    const unseen = pictures.splice(labelling.furthest + 1);
    pictures.push(...unseen.sort((a, b) => certainty(a) - certainty(b)));
  } catch {
    labelling.version = null;
  } finally {
    labelling.asking = false;
  }
}

const suggestion = ({ label, probability, box }) => ({ ...boxed(label, box), probability });

/** An image is as certain as its least certain object; one without any may be one that the model does not see. */
function certainty({ suggestions }) {
  if (suggestions === null) return 2; // not asked yet: after all others
  return suggestions.length === 0 ? 0.5 : Math.min(...suggestions.map(one => one.probability));
}

/** Intersection over union. */
export function overlap(a, b) {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  const both = Math.max(0, width) * Math.max(0, height);
  return both / (a.width * a.height + b.width * b.height - both);
}

export const counted = (count, one, several = `${one}s`) => `${count} ${count === 1 ? one : several}`;

export const spoken = ({ x, y, width, height }) => {
  const [left, top, wide, high] = [x, y, width, height].map(part => Math.round(100 * part));
  return `left ${left} %, top ${top} %, ${wide} % wide, ${high} % high`;
};
