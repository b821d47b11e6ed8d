// The photo page: follows its photo until it is finished, lights a face in the list
// with its box and the other way round, steps through the list one came from.
(() => {
  'use strict';

  const beside = matchMedia('(min-width: 861px)'); // the list stands beside the photo
  const page = () => document.querySelector('main.photo');

  // ---- faces and boxes --------------------------------------------------------

  const light = (index) => {
    for (const el of page().querySelectorAll('[data-face]')) {
      el.classList.toggle('lit', el.dataset.face === index);
    }
    page().classList.toggle('has-lit', Boolean(index));
  };
  const faceOf = (event) => event.target.closest?.('[data-face]')?.dataset.face;

  document.addEventListener('pointerover', (event) => light(faceOf(event)));
  document.addEventListener('focusin', (event) => light(faceOf(event)));
  document.addEventListener('click', (event) => {
    const box = event.target.closest('a.box');
    if (!box) return;
    event.preventDefault(); // the address need not change for a look
    light(box.dataset.face);
    if (!beside.matches) return; // the list lies below: the photo must stay in sight
    const item = document.getElementById(`face-${box.dataset.face}`);
    item.scrollIntoView({ block: 'nearest' });
    item.focus({ preventScroll: true });
  });

  // ---- numbers on boxes keep the page's text size, however large the photo -----

  const measure = () => {
    const svg = document.querySelector('[data-boxes]');
    if (!svg) return;
    const { width, height } = svg.viewBox.baseVal;
    const shown = Math.min(svg.clientWidth / width, svg.clientHeight / height);
    if (shown > 0) svg.setAttribute('font-size', 13 / shown);
  };
  const resized = new ResizeObserver(measure);

  // ---- the list one came from --------------------------------------------------

  document.addEventListener('keydown', (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest?.('input, textarea, select, dialog')) return;
    const name = { ArrowLeft: 'newer', ArrowRight: 'older' }[event.key];
    const step = name && document.querySelector(`[data-${name}]`);
    if (step) step.click();
  });

  // ---- following the photo -----------------------------------------------------

  let stream;
  let poll;

  const refresh = () => window.htmx.trigger(page(), 'refresh');

  const unfollow = () => {
    stream?.close();
    clearInterval(poll);
    stream = poll = undefined;
  };

  // Polls while there is no stream: a proxy may not let one through.
  const pollInstead = () => { poll ??= setInterval(refresh, 2000); };

  const follow = () => {
    if (!('open' in page().dataset)) return unfollow();
    if (stream || poll) return;
    stream = new EventSource(`/v1/detections/${page().dataset.photo}/events`);
    stream.addEventListener('state', (event) => {
      clearInterval(poll);
      poll = undefined;
      if (JSON.parse(event.data).status !== page().dataset.state) refresh();
    });
    stream.addEventListener('end', unfollow);
    stream.addEventListener('error', pollInstead);
  };

  const ready = () => {
    const svg = document.querySelector('[data-boxes]');
    resized.disconnect();
    if (svg) resized.observe(svg);
    measure();
    follow();
    window.maskfleet.tellTimes(page());
  };
  document.addEventListener('htmx:afterSwap', ready);
  window.addEventListener('pagehide', unfollow);
  ready();
})();
