// The images of the labelling page: their boxes, which of them are saved, and what the published version finds.

import { send } from './api.js';

const Largest = 2048; // pixels of the longer side: the API's maximum
const Asked = 8; // images per request; the next request follows when half of them are used

let keys = 0;

/** A box with a key that it keeps while it changes. */
export const boxed = (category, { x, y, width, height, difficult = false }) =>
  ({ key: `box-${keys++}`, category, x, y, width, height, difficult });

/** Appends images from the API that are not in the list yet. */
export function add(pictures, model, images) {
  const there = new Set(pictures.map(picture => picture.image.id));
  for (const image of images.filter(({ id }) => !there.has(id))) {
    const stored = image.boxes?.map(box => boxed(box.category, box)) ?? null; // null: not labelled yet
    // A JPEG, upright whatever the file says, that every browser can show.
    const source = `api/v1/models/${model}/images/${image.id}/content?size=${Largest}`;
    const own = { image, name: image.fileName.split('/').at(-1), source, stored, boxes: stored ?? [], empty: false };
    pictures.push({ ...own, past: [], future: [], group: null, suggestions: null, dismissed: new Set() });
  }
}

/** Whether continuing would save something. "Nothing here" is saved; boxes that were undone are not. */
export const unsaved = ({ stored, boxes, empty }) =>
  (stored === null ? empty || boxes.length > 0 : boxes !== stored && JSON.stringify(boxes) !== JSON.stringify(stored));

/**
 * Asks the published version about the next few images, and moves those it is least sure of to the front of the unseen ones.
 * Does nothing without a published detector: suggestions help but are never required.
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

/** An image is as certain as its least certain object; one without objects may contain some that the model missed. */
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
