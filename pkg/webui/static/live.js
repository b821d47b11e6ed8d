// The manager's live page: one event stream brings the whole changing part; only
// what differs is changed, so that nothing moves that did not change. It can be
// paused, and what is old turns grey and says its age.
(() => {
  'use strict';
  const STALE_AFTER = 5000; // ms without an event

  const live = document.getElementById('live');
  const pulse = document.getElementById('pulse');
  const pause = document.getElementById('pause');
  let at = new Date(live.dataset.at);
  let heard = Date.now();
  let held; // the newest part while paused

  // ---- patching --------------------------------------------------------------------

  const keyOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? node.dataset.key : undefined);
  const alike = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && keyOf(a) === keyOf(b);

  const patch = (old, fresh) => {
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.data !== fresh.data) old.data = fresh.data;
      return;
    }
    if (old.hasAttribute('data-own') || old.isEqualNode(fresh)) return; // what is in the first kind is a script's
    for (const { name } of [...old.attributes]) {
      const persons = name === 'open' && old.nodeName === 'DETAILS'; // what somebody unfolded stays so
      if (!fresh.hasAttribute(name) && !persons) old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    patchChildren(old, fresh);
  };

  const patchChildren = (old, fresh) => {
    let at = old.firstChild;
    for (const wanted of [...fresh.childNodes]) {
      const key = keyOf(wanted);
      let match = at;
      if (key !== undefined) {
        match = [...old.children].find((el) => el.dataset.key === key) ?? null;
        if (match && match !== at) old.insertBefore(match, at);
      }
      if (match && alike(match, wanted)) {
        patch(match, wanted);
        at = match.nextSibling;
        continue;
      }
      if (key !== undefined && wanted.nodeName === 'TR') wanted.classList.add('new');
      old.insertBefore(wanted, at);
    }
    while (at) {
      const gone = at;
      at = at.nextSibling;
      gone.remove();
    }
  };

  const show = (html) => {
    const holder = document.createElement('template');
    holder.innerHTML = html;
    patchChildren(live, holder.content);
    window.maskfleet.tellTimes(live);
    live.dispatchEvent(new Event('news'));
    at = new Date();
  };

  // ---- the pulse -----------------------------------------------------------------------

  const paused = () => pause.getAttribute('aria-pressed') === 'true';

  const tell = () => {
    const silent = Date.now() - heard;
    const old = Math.max(0, Math.floor((Date.now() - at) / 1000));
    live.classList.toggle('stale', silent > STALE_AFTER || paused());
    pulse.classList.toggle('lost', silent > STALE_AFTER);
    pulse.classList.toggle('beating', silent <= STALE_AFTER && !paused());
    if (paused()) pulse.textContent = `Paused, ${old}\u202fs old`;
    else if (silent > STALE_AFTER) pulse.textContent = `No news for ${Math.floor(silent / 1000)}\u202fs, trying again`;
    else pulse.textContent = 'Live';
  };

  pause.addEventListener('click', () => {
    const now = !paused();
    pause.setAttribute('aria-pressed', String(now));
    pause.querySelector('span').textContent = now ? 'Go on' : 'Pause';
    const use = pause.querySelector('use');
    use.setAttribute('href', use.getAttribute('href').replace(/#.*/, now ? '#play' : '#pause'));
    if (!now && held) { show(held); held = undefined; }
    tell();
  });

  // ---- the stream ------------------------------------------------------------------------

  const listen = () => {
    const stream = new EventSource(live.dataset.events);
    stream.addEventListener('page', (event) => {
      heard = Date.now();
      if (paused()) held = event.data; else show(event.data);
      tell();
    });
    stream.addEventListener('error', () => {
      if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
    });
    addEventListener('pagehide', () => stream.close(), { once: true });
  };

  setInterval(tell, 1000);
  tell();
  listen();
})();
