// What every page has: uploads, the clipboard, and what happens when the connection to the host breaks off.

import { busy, listen, forget } from './uploads.js';

// For Blazor, which calls functions by name.
window.headstart = {
  listen,
  forget,
  copy: text => navigator.clipboard.writeText(text),
  columns: (element, width) => Math.max(1, Math.floor((element.clientWidth + 8) / (width + 8))),
  reveal: (element, top, height) => {
    const y = element.getBoundingClientRect().top + top;
    if (y < 80) scrollBy(0, y - 80);
    else if (y + height > innerHeight) scrollBy(0, y + height - innerHeight);
  },
  focus: id => document.getElementById(id)?.focus(),
};

// A form takes the page's token along.
document.addEventListener('submit', event => {
  if (!('token' in event.target.dataset)) return;
  event.target.append(Object.assign(document.createElement('input'), {
    type: 'hidden', name: '__RequestVerificationToken', value: document.querySelector('meta[name="headstart-antiforgery"]').content,
  }));
});

// Blazor says how its connection is. A host that was started again does not know the page any more: then the page is loaded anew, but not while
// files are on their way, which only this page has.
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
