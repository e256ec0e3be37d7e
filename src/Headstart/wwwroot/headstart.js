// Shared by all pages: uploads, the clipboard, and reconnecting to the server.

import { busy, listen, forget } from './uploads.js';

// Called from Blazor by name.
window.headstart = {
  listen,
  forget,
  copy,
  columns: (element, width) => Math.max(1, Math.floor((element.clientWidth + 8) / (width + 8))),
  reveal: (element, top, height) => {
    const y = element.getBoundingClientRect().top + top;
    if (y < 80) scrollBy(0, y - 80);
    else if (y + height > innerHeight) scrollBy(0, y + height - innerHeight);
  },
  focus: id => document.getElementById(id)?.focus(),
};

// Whether the text was copied.
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelected(text); // over plain http there is no clipboard
  }
}

function copySelected(text) {
  const before = document.activeElement;
  const field = Object.assign(document.createElement('textarea'), { value: text, readOnly: true });
  field.style.cssText = 'position: fixed; top: 0; opacity: 0';
  document.body.append(field);
  field.focus();
  field.select();
  const copied = document.execCommand('copy');
  field.remove();
  before?.focus();
  return copied;
}

// Adds the page's antiforgery token to forms marked data-token.
document.addEventListener('submit', event => {
  if (!('token' in event.target.dataset)) return;
  event.target.append(Object.assign(document.createElement('input'), {
    type: 'hidden', name: '__RequestVerificationToken', value: document.querySelector('meta[name="headstart-antiforgery"]').content,
  }));
});

// Blazor reports its connection state. A restarted server no longer knows the page, so reload it, but only once the uploads have finished:
// they live in this page.
const Again = 3_000;
document.getElementById('components-reconnect-modal').addEventListener('components-reconnect-state-changed', event => {
  if (event.detail.state === 'rejected') reload();
  if (event.detail.state === 'failed') setTimeout(reconnect, Again);
});

async function reconnect() {
  try {
    if (await Blazor.reconnect() === false) reload();
  } catch {
    setTimeout(reconnect, Again);
  }
}

function reload() {
  if (busy()) setTimeout(reload, 500);
  else location.reload();
}
