// The history: photos on the page finish in place, new ones announce themselves, and
// what is chosen is counted before it is deleted.
(() => {
  'use strict';
  const FOLLOWED = 50; // ids that fit into one address, and as many as a list shows

  const main = document.getElementById('main');
  const selection = document.getElementById('selection');
  const news = document.getElementById('news');
  const thin = '\u202f';
  const number = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, thin);
  const photos = (n) => (n === 1 ? '1 photo' : `${number(n)} photos`);

  // ---- choosing -------------------------------------------------------------------

  const boxes = () => [...selection.querySelectorAll('input[name="id"]')];
  const all = () => selection.querySelector('input[name="all"]');
  const total = () => Number(selection.querySelector('[data-picked]').dataset.total);
  const chosen = () => (all().checked ? total() : boxes().filter((box) => box.checked).length);

  const tellChosen = () => {
    const bar = selection.querySelector('[data-picked]');
    const n = chosen();
    const page = selection.querySelector('[data-pick-page]');
    const whole = boxes().every((box) => box.checked);
    page.checked = whole;
    page.indeterminate = !whole && n > 0;
    bar.hidden = n === 0;
    bar.querySelector('[data-picked-words]').textContent = `${photos(n)} chosen`;
    bar.querySelector('.all').hidden = !(whole && total() > boxes().length) && !all().checked;
  };

  if (selection) {
    selection.addEventListener('change', (event) => {
      if (event.target.matches('[data-pick-page]')) {
        for (const box of boxes()) box.checked = event.target.checked;
        all().checked = false;
      } else if (event.target.name === 'id' && !event.target.checked) {
        all().checked = false;
      }
      tellChosen();
    });
    let last; // shift chooses from the last one to this one
    selection.addEventListener('click', (event) => {
      const box = event.target;
      if (box.name !== 'id') return;
      const every = boxes();
      if (event.shiftKey && last && every.includes(last)) {
        const [from, to] = [every.indexOf(last), every.indexOf(box)].sort((a, b) => a - b);
        for (const between of every.slice(from, to + 1)) between.checked = box.checked;
      }
      last = box;
    });
    selection.addEventListener('submit', (event) => {
      if (selection.dataset.confirmed) return;
      event.preventDefault();
      const n = chosen();
      if (n === 0) return;
      const dialog = document.getElementById('delete-photos');
      dialog.querySelector('[data-how-many]').textContent = photos(n);
      dialog.returnValue = '';
      dialog.addEventListener('close', () => {
        if (dialog.returnValue !== 'yes') return;
        selection.dataset.confirmed = 'yes';
        selection.insertAdjacentHTML('beforeend', '<input type="hidden" name="confirmed" value="yes">');
        selection.requestSubmit();
      }, { once: true });
      dialog.showModal();
    });
    addEventListener('pageshow', () => { // a browser that goes back keeps what was sent
      delete selection.dataset.confirmed;
      selection.querySelector('input[name="confirmed"]')?.remove();
      tellChosen();
    });
    tellChosen();
  }

  // ---- what changes -----------------------------------------------------------------

  const current = main.querySelector('[data-tab][aria-current] .count');
  const shown = Number(current.dataset.count);

  const tellCounts = (counts) => {
    for (const tab of main.querySelectorAll('[data-tab]')) {
      const count = tab.querySelector('.count');
      const n = counts[tab.dataset.tab] ?? 0;
      const words = number(n);
      if (count.textContent !== words) count.textContent = words;
    }
    const more = (counts[current.closest('[data-tab]').dataset.tab] ?? 0) - shown;
    news.hidden = more <= 0;
    if (more > 0) news.querySelector('a').textContent = `Show ${more === 1 ? '1 new photo' : `${number(more)} new photos`}`;
  };

  const place = (html) => {
    const holder = document.createElement('template');
    holder.innerHTML = html;
    const fresh = holder.content.querySelector('tr');
    const old = document.getElementById(fresh.id);
    if (!old || old.dataset.state === fresh.dataset.state) return;
    fresh.querySelector('input').checked = old.querySelector('input').checked;
    old.replaceWith(fresh);
    window.maskfleet.tellTimes(fresh);
  };

  const listen = () => {
    const ids = [...main.querySelectorAll('tr[data-open]')].slice(0, FOLLOWED).map((row) => row.dataset.id);
    const address = new URL(main.dataset.events, location.href);
    if (ids.length > 0) address.searchParams.set('ids', ids.join(','));
    const stream = new EventSource(address);
    stream.addEventListener('counts', (event) => tellCounts(JSON.parse(event.data)));
    stream.addEventListener('row', (event) => place(event.data));
    stream.addEventListener('error', () => {
      if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 5000);
    });
    addEventListener('pagehide', () => stream.close(), { once: true });
  };
  listen();
})();
