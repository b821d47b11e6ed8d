// The policy's form: what a ratio makes of the fleet there is, as it is typed, and
// which numbers count.
(() => {
  'use strict';
  const form = document.querySelector('form.policy');
  if (!form) return;
  const size = Number(form.dataset.size);
  const number = (name) => Number(form.elements[name].value);

  const becomes = () => {
    if (!size) return;
    const bound = (n) => Math.max(number('min'), Math.min(number('max'), n));
    const tell = (which, n) => {
      const words = Number.isFinite(n) ? `${size} ${size === 1 ? 'worker becomes' : 'workers become'} ${bound(n)}` : '';
      form.querySelector(`[data-becomes="${which}"]`).textContent = words;
    };
    tell('grow', Math.max(size + 1, Math.ceil(size * number('expand') - 1e-9)));
    tell('shrink', Math.min(size - 1, Math.floor(size * number('keep') / 100 + 1e-9)));
  };

  const counts = () => {
    const kind = form.elements.policy.value;
    for (const part of form.querySelectorAll('[data-kind]')) part.classList.toggle('unused', part.dataset.kind !== kind);
  };

  form.addEventListener('input', () => { becomes(); counts(); });
  becomes();
  counts();

  form.addEventListener('submit', (event) => {
    const slow = event.submitter?.dataset.slow;
    if (slow) window.maskfleet.toast(slow);
  });
})();
