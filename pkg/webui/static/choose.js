// Lists of which rows are chosen, to do something with them: a whole page at once, a
// range with shift, and how many there are.
(() => {
  'use strict';
  const form = document.querySelector('[data-choose]');
  if (!form || !form.querySelector('[data-chosen]')) return;

  const boxes = () => [...form.querySelectorAll('input[name="id"]')];
  const all = form.querySelector('input[name="all"]');
  const page = form.querySelector('[data-choose-page]');
  const bar = form.querySelector('[data-chosen]');

  const tell = () => {
    const chosen = boxes().filter((box) => box.checked);
    const n = chosen.length;
    const whole = n === boxes().length;
    page.checked = whole;
    page.indeterminate = n > 0 && !whole;
    bar.hidden = n === 0;
    if (all && !whole) all.checked = false;
    if (all) all.closest('label').hidden = !whole;
    // A button is there for what it can do something about.
    const buttons = [...bar.querySelectorAll('[data-for]')];
    for (const button of buttons) {
      const states = button.dataset.for.split(' ');
      button.hidden = !all?.checked && !chosen.some((box) => states.includes(box.dataset.state));
    }
    const idle = n > 0 && bar.dataset.idle && buttons.every((button) => button.hidden) ? bar.dataset.idle : '';
    bar.querySelector('[data-chosen-words]').textContent = (all?.checked ? 'All that match' : `${n} chosen`) + idle;
  };

  let last;
  form.addEventListener('click', (event) => {
    const box = event.target;
    if (box.name !== 'id') return;
    const every = boxes();
    if (event.shiftKey && last) {
      const [from, to] = [every.indexOf(last), every.indexOf(box)].sort((a, b) => a - b);
      for (const between of every.slice(from, to + 1)) between.checked = box.checked;
    }
    last = box;
  });
  form.addEventListener('change', (event) => {
    if (event.target === page) for (const box of boxes()) box.checked = page.checked;
    tell();
  });
  addEventListener('pageshow', tell);
  tell();
})();
