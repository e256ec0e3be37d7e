// "Try it": sends an image from a file, the clipboard or the camera to the predictions API and hands the prediction to the page.

import { send } from './api.js';
import { frame, start, stop as stopVideo } from './video.js';

const Every = 300; // milliseconds between two frames
const Again = 3_000; // after a failed one

let current = null; // the image on the screen
let watching = 0; // number of the current camera session

/**
 * Wires up the area; calls the component's Asking(), Answered(json) and Failed(text). Objects found by a detection model are drawn here, over the
 * picture.
 */
export function open(area, model, component) {
  const state = { area, model, component };
  const chosen = input => { if (input.files[0]) ask(state, input.files[0]); input.value = ''; };
  // On the area, because the camera replaces the input.
  area.addEventListener('change', event => { if (event.target.matches('input[type=file]')) chosen(event.target); });
  chosen(area.querySelector('input[type=file]')); // a file may have been chosen before this script loaded
  area.addEventListener('dragover', event => event.preventDefault());
  area.addEventListener('drop', event => {
    event.preventDefault();
    if (event.dataTransfer.files[0]) ask(state, event.dataTransfer.files[0]);
  });
  const paste = event => {
    const file = [...event.clipboardData.files].find(one => one.type.startsWith('image/'));
    if (file) ask(state, file);
  };
  document.addEventListener('paste', paste);
  area.dataset.ready = 'true';
  state.close = () => { document.removeEventListener('paste', paste); stop(area); };
  return { dispose: state.close };
}

async function ask({ area, model, component }, image) {
  current = image;
  picture(area, '.photo', URL.createObjectURL(image));
  // Few browsers show HEIC or TIFF: then the heat map, which the server draws over the image, replaces it.
  area.querySelector('.photo').onerror = event => { event.target.hidden = true; };
  picture(area, '.heat', null);
  draw(area, null);
  await component.invokeMethodAsync('Asking');
  try {
    const answer = await predict(model, image, detects(area) ? '' : 'explain=true&top=20');
    if (current !== image) return; // another one is on the screen
    const [prediction] = answer.predictions;
    draw(area, prediction.objects);
    const heat = prediction.explanation?.data;
    if (heat) picture(area, '.heat', `data:image/png;base64,${heat}`);
    if (heat && area.querySelector('.photo').hidden) picture(area, '.photo', `data:image/png;base64,${heat}`);
    // Keep the heat map here: it is too large for the page's connection.
    const explanation = prediction.explanation && { ...prediction.explanation, data: null };
    await component.invokeMethodAsync('Answered', { ...answer, predictions: [{ ...prediction, explanation }] });
  } catch (error) {
    if (current !== image) return;
    await component.invokeMethodAsync('Failed', reason(error));
  }
}

function predict(model, image, options) {
  const data = new FormData();
  data.append('file', image, image.name ?? 'camera.jpg');
  return send('POST', `models/${model}/predictions?${options}`, data);
}

const reason = error => (error instanceof TypeError ? 'No connection to the server. Try again in a moment.' : error.message);

/** Sends the image on the screen back with the correct category. */
export async function correct(model, category) {
  const data = new FormData();
  data.append('category', category);
  data.append('file', current, current.name ?? 'camera.jpg');
  await send('POST', `models/${model}/feedback`, data);
}

/** Shows the camera and calls the component's Seen(json) or Failed(text) for each frame. Returns false if it was stopped meanwhile. */
export async function camera(area, model, component) {
  if (!await start(area.querySelector('video'))) return false;
  current = null;
  picture(area, '.photo', null);
  picture(area, '.heat', null);
  draw(area, null);
  watch(area, model, component, ++watching);
  return true;
}

async function watch(area, model, component, own) {
  while (own === watching) {
    let pause = Every;
    try {
      const image = document.hidden ? null : await frame(area.querySelector('video'), 'camera.jpg');
      const answer = image && await predict(model, image, 'top=20');
      if (answer && own === watching) {
        draw(area, answer.predictions[0].objects);
        await component.invokeMethodAsync('Seen', answer);
      }
    } catch (error) {
      pause = Math.max(Again, 1000 * (error.retryAfter ?? 0));
      if (own === watching) await component.invokeMethodAsync('Failed', reason(error)).catch(() => {}); // the connection may be lost for a moment
    }
    await new Promise(resolve => setTimeout(resolve, pause));
  }
}

export async function snap(area, model, component) {
  const photo = await frame(area.querySelector('video'), 'camera.jpg');
  stop(area);
  if (photo) await ask({ area, model, component }, photo);
}

export function stop(area) {
  current = null;
  watching++;
  stopVideo(area?.querySelector('video'));
  if (area) draw(area, null);
}

/** Whether the page shows a detection model. */
const detects = area => area.querySelector('.objects') !== null;

/** Draws the objects over the picture or video. Boxes are relative to its width and height. */
function draw(area, objects) {
  const over = area.querySelector('.objects');
  if (!over) return;
  over.replaceChildren(...(objects ?? []).map(({ label, probability, box }) => {
    const frame = document.createElement('div');
    frame.title = frame.dataset.label = `${label} ${Math.round(100 * probability)} %`;
    const sides = { left: box.x, top: box.y, width: box.width, height: box.height };
    for (const [side, part] of Object.entries(sides)) frame.style[side] = `${100 * part}%`;
    return frame;
  }));
}

function picture(area, selector, source) {
  const image = area.querySelector(selector);
  if (image.src.startsWith('blob:')) URL.revokeObjectURL(image.src);
  image.hidden = !source;
  if (source) image.src = source;
  else image.removeAttribute('src');
}
