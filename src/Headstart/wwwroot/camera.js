// The camera of the images page: frames are taken while the button is held, and sent like any other upload.

import { add } from './uploads.js';
import { frame, start, stop } from './video.js';

const Every = 200; // milliseconds: more frames of the same moment add nothing
const Batch = 10; // frames, so that the first ones arrive while the button is still held
const cameras = new WeakMap();

/** Shows the camera and waits for the button, which appears when the component has rendered it. Returns false if it was closed meanwhile. */
export async function open(area, model) {
  const video = area.querySelector('video');
  if (!await start(video)) return false;
  const camera = { area, model, video, held: null, taken: 0, frames: [] };
  cameras.set(area, camera);
  const button = event => event.target.closest?.('button.hold:not(:disabled)');
  const press = event => {
    const held = button(event);
    if (!held || camera.held || event.button > 0) return;
    event.preventDefault();
    held.focus();
    if (event.pointerId !== undefined) held.setPointerCapture(event.pointerId); // releasing it elsewhere ends it too
    hold(camera, held);
  };
  const release = () => letGo(camera);
  const keys = event => [' ', 'Enter'].includes(event.key);
  const listeners = [
    [area, 'pointerdown', press],
    [area, 'keydown', event => { if (keys(event) && button(event)) { event.preventDefault(); if (!event.repeat) press(event); } }],
    [area, 'keyup', event => { if (keys(event)) release(); }],
    [area, 'contextmenu', event => { if (button(event)) event.preventDefault(); }], // caused by a long touch
    [area, 'focusout', release],
    [area, 'lostpointercapture', release],
    [document, 'visibilitychange', release],
    ...['pointerup', 'pointercancel'].map(kind => [area, kind, release]),
  ];
  for (const [target, kind, listener] of listeners) target.addEventListener(kind, listener);
  camera.forget = () => { for (const [target, kind, listener] of listeners) target.removeEventListener(kind, listener); };
  return true;
}

export function close(area) {
  stop(area?.querySelector('video')); // even if it is still opening
  const camera = cameras.get(area);
  if (!camera) return;
  cameras.delete(area);
  letGo(camera);
  camera.forget();
}

async function hold(camera, button) {
  const category = button.dataset.into;
  button.dataset.recording = 'true';
  const own = camera.held = {};
  while (own === camera.held) {
    const next = new Promise(resolve => setTimeout(resolve, Every));
    await shoot(camera, category);
    await next;
  }
  send(camera);
}

function letGo(camera) {
  camera.held = null;
  delete camera.area.querySelector('button.hold')?.dataset.recording;
}

async function shoot(camera, category) {
  const name = `camera-${new Date().toISOString().replace(/[:.]/g, '-')}.jpg`;
  const file = await frame(camera.video, name);
  if (!file) return; // the camera has no picture
  camera.frames.push({ file, category });
  camera.taken++;
  const count = camera.area.querySelector('.count');
  if (count) count.textContent = `${camera.taken} ${camera.taken === 1 ? 'frame' : 'frames'} taken`;
  if (camera.frames.length >= Batch) send(camera);
}

function send(camera) {
  if (camera.frames.length > 0) add(camera.model, camera.frames.splice(0));
}
