// What every page does: times that stay true, the theme switch, dialogs before what
// cannot be undone, copying, and toasts.
(() => {
  'use strict';
  const thin = '\u202f';

  // ---- times ----------------------------------------------------------------

  const spell = (seconds) => {
    if (seconds < 1) return 'just now';
    if (seconds < 60) return `${Math.floor(seconds)}${thin}s ago`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)}${thin}min ago`;
    if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)}${thin}h ago`;
    return `${Math.floor(seconds / 86400)} days ago`;
  };

  // Of 24 hours everywhere, in the person's own zone; which that is stands in the title.
  const hours = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
  const exact = new Intl.DateTimeFormat(undefined, { ...hours, year: 'numeric', month: 'short', day: 'numeric', second: '2-digit', timeZoneName: 'short' });
  const clock = new Intl.DateTimeFormat(undefined, { ...hours, second: '2-digit' });
  const clockOfDay = new Intl.DateTimeFormat(undefined, { ...hours, month: 'short', day: 'numeric' });

  const tellTimes = (root = document) => {
    const now = Date.now();
    for (const el of root.querySelectorAll('time[data-clock]')) {
      const then = new Date(el.dateTime);
      const words = (Math.abs(now - then) < 12 * 3600e3 ? clock : clockOfDay).format(then);
      if (el.textContent !== words) el.textContent = words;
      const title = exact.format(then);
      if (el.title !== title) el.title = title;
    }
    for (const el of root.querySelectorAll('time[data-ago]')) {
      const then = new Date(el.dateTime);
      const words = spell((now - then) / 1000);
      if (el.textContent !== words) el.textContent = words;
      const title = exact.format(then);
      if (el.title !== title) el.title = title;
    }
  };
  tellTimes();
  setInterval(() => { if (!document.hidden) tellTimes(); }, 1000);
  document.addEventListener('visibilitychange', () => { if (!document.hidden) tellTimes(); });

  // ---- theme ----------------------------------------------------------------

  const root = document.documentElement;
  const systemIsDark = () => matchMedia('(prefers-color-scheme: dark)').matches;

  document.addEventListener('click', (event) => {
    if (!event.target.closest('[data-theme-switch]')) return;
    const isDark = root.dataset.theme ? root.dataset.theme === 'dark' : systemIsDark();
    const wanted = isDark ? 'light' : 'dark';
    const isSystems = (wanted === 'dark') === systemIsDark();
    if (isSystems) delete root.dataset.theme; else root.dataset.theme = wanted;
    document.cookie = `theme=${isSystems ? '' : wanted}; path=/; max-age=${isSystems ? 0 : 31536000}; samesite=lax`;
  });

  // ---- toasts ---------------------------------------------------------------

  const toast = (words) => {
    const el = document.getElementById('toast').content.firstElementChild.cloneNode(true);
    el.querySelector('span').textContent = words;
    document.querySelector('.toasts').append(el);
    setTimeout(() => el.remove(), 4000);
  };

  // ---- what cannot be undone ------------------------------------------------

  document.addEventListener('submit', (event) => {
    const form = event.target.closest('form[data-confirm]');
    if (!form || form.dataset.confirmed) return;
    event.preventDefault();
    const dialog = document.getElementById(form.dataset.confirm);
    dialog.querySelector('[data-name]').textContent = form.dataset.name;
    dialog.returnValue = '';
    dialog.addEventListener('close', () => {
      if (dialog.returnValue !== 'yes') return;
      form.dataset.confirmed = 'yes';
      form.insertAdjacentHTML('beforeend', '<input type="hidden" name="confirmed" value="yes">');
      form.requestSubmit();
    }, { once: true });
    dialog.showModal();
  });

  document.addEventListener('click', async (event) => {
    const button = event.target.closest('[data-copy]');
    if (!button) return;
    const source = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.textContent);
      toast('Copied');
    } catch { // no permission: leave it selected for the person's own copy
      getSelection().selectAllChildren(source);
    }
  });

  // ---- what must be typed before it can be sent ------------------------------

  const typed = (field) => {
    field.form.querySelector('button').disabled = field.value !== field.dataset.mustBe;
  };
  for (const field of document.querySelectorAll('[data-must-be]')) {
    field.addEventListener('input', () => typed(field));
    typed(field);
  }

  // ---- where the person is, for days in searches ------------------------------

  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const el of document.querySelectorAll('[data-zone]')) el.textContent = `Times are of ${zone ?? 'this device'}.`;
  if (zone) document.cookie = `timezone=${encodeURIComponent(zone)}; path=/; max-age=31536000; samesite=lax`;

  window.maskfleet = { toast, tellTimes };
})();
