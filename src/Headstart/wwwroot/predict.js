// "Try it": sends an image from a file, the clipboard or the camera to the predictions API and hands the prediction to the page.

import { send } from './api.js';

let current = null; // the image on the screen
let stream = null;

/** Wires up the area; calls the component's Asking(), Answered(json) and Failed(text). */
export function open(area, model, component) {
  const state = { area, model, component };
  const input = area.querySelector('input[type=file]');
  const chosen = () => { if (input.files[0]) ask(state, input.files[0]); input.value = ''; };
  input.addEventListener('change', chosen);
  chosen(); // a file may have been chosen before this script loaded
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
  // Few browsers show HEIC or TIFF: then the heat map, which the server draws on the image, stands for it.
  area.querySelector('.photo').onerror = event => { event.target.hidden = true; };
  picture(area, '.heat', null);
  await component.invokeMethodAsync('Asking');
  try {
    const data = new FormData();
    data.append('file', image, image.name ?? 'camera.jpg');
    const answer = await send('POST', `models/${model}/predictions?explain=true&top=20`, data);
    const [prediction] = answer.predictions;
    const heat = prediction.explanation?.data;
    if (heat) picture(area, '.heat', `data:image/png;base64,${heat}`);
    if (heat && area.querySelector('.photo').hidden) picture(area, '.photo', `data:image/png;base64,${heat}`);
    // Keep the heat map here: it is too large for the page's connection.
    const explanation = prediction.explanation && { ...prediction.explanation, data: null };
    await component.invokeMethodAsync('Answered', { ...answer, predictions: [{ ...prediction, explanation }] });
  } catch (error) {
    await component.invokeMethodAsync('Failed', error instanceof TypeError ? 'No connection to the server. Try again in a moment.' : error.message);
  }
}

/** Sends the image on the screen back with the correct category. */
export async function correct(model, category) {
  const data = new FormData();
  data.append('category', category);
  data.append('file', current, current.name ?? 'camera.jpg');
  await send('POST', `models/${model}/feedback`, data);
}

export async function camera(area) {
  stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
  const video = area.querySelector('video');
  video.srcObject = stream;
  await video.play();
}

export async function snap(area, model, component) {
  const video = area.querySelector('video');
  const canvas = Object.assign(document.createElement('canvas'), { width: video.videoWidth, height: video.videoHeight });
  canvas.getContext('2d').drawImage(video, 0, 0);
  stop(area);
  const blob = await new Promise(resolve => canvas.toBlob(resolve, 'image/jpeg', 0.92));
  await ask({ area, model, component }, new File([blob], 'camera.jpg', { type: 'image/jpeg' }));
}

export function stop(area) {
  stream?.getTracks().forEach(track => track.stop());
  stream = null;
  const video = area?.querySelector('video');
  if (video) video.srcObject = null;
}

function picture(area, selector, source) {
  const image = area.querySelector(selector);
  if (image.src.startsWith('blob:')) URL.revokeObjectURL(image.src);
  image.hidden = !source;
  if (source) image.src = source;
  else image.removeAttribute('src');
}
