// The upload page: files chosen or dropped become cards that turn from thumbnail to
// result in place. Each file is its own request, so that one refusal stands alone.
(() => {
  'use strict';
  const AT_ONCE = 3;
  const FOLLOWED = 50; // ids that fit into one address, and as many as a list shows
  const PATIENCE = 20; // times a busy service is asked again by itself

  const main = document.getElementById('main');
  const cards = document.getElementById('cards');
  const input = document.getElementById('file');
  const byLink = document.getElementById('by-link');
  const maxBytes = Number(main.dataset.maxBytes);
  const waiting = [];
  let sending = 0;

  // ---- one file ----------------------------------------------------------------

  class Sending {
    constructor(file) {
      this.file = file;
      this.tries = 0;
      this.el = document.getElementById('sending').content.firstElementChild.cloneNode(true);
      this.find('.name').textContent = file.name;
      this.find('.name').title = file.name;
      this.thumbnail = URL.createObjectURL(file);
      const img = this.find('img');
      img.addEventListener('error', () => img.remove(), { once: true });
      img.src = this.thumbnail;
      this.find('[data-retry]').addEventListener('click', () => { this.tries = 0; this.queue(); });
      this.find('[data-forget]').addEventListener('click', () => this.close());
    }

    find(selector) { return this.el.querySelector(selector); }

    say(words, { failed = false } = {}) {
      const outcome = this.find('.outcome');
      outcome.textContent = words;
      outcome.classList.toggle('wrong', failed);
      outcome.classList.toggle('quiet', !failed);
      this.find('.actions').hidden = !failed;
      this.find('progress').hidden = failed;
      this.el.classList.toggle('failed', failed);
    }

    queue() {
      if (this.file.size > maxBytes) return this.refuse('The photo is larger than the limit.', { again: false });
      this.say('Waiting to be sent');
      this.find('progress').value = 0;
      waiting.push(this);
      next();
      return undefined;
    }

    send() {
      this.say('Uploading');
      const body = new FormData();
      body.append('file', this.file);
      const request = new XMLHttpRequest();
      const progress = this.find('progress');
      request.upload.addEventListener('progress', (e) => { if (e.lengthComputable) progress.value = e.loaded / e.total; });
      request.upload.addEventListener('load', () => this.say('Checking'));
      return new Promise((done) => {
        request.addEventListener('loadend', () => { this.answered(request); done(); });
        request.open('POST', '/photos');
        request.setRequestHeader('Accept', 'application/json');
        request.setRequestHeader('X-Card', 'yes');
        request.send(body);
      });
    }

    answered(request) {
      if (request.status === 201) {
        this.el.replaceWith(cardFrom(request.responseText, this.thumbnail));
        follow();
        return;
      }
      if (request.status === 401) { location.assign('/login?next=/'); return; }
      const problem = read(request.responseText);
      const busy = request.status === 503 || request.status === 429;
      if (busy && this.tries < PATIENCE) {
        this.tries += 1;
        const seconds = Number(request.getResponseHeader('Retry-After')) || 5;
        this.say(`The service is busy. Trying again in ${seconds}\u202fs.`);
        setTimeout(() => this.queue(), seconds * 1000);
        return;
      }
      const unsent = request.status === 0;
      this.refuse(unsent ? 'The connection was lost before the photo had arrived.' : problem.detail,
        { again: unsent || request.status >= 500 || busy });
    }

    refuse(words, { again }) {
      this.say(words ?? 'Something went wrong on our side.', { failed: true });
      this.find('[data-retry]').hidden = !again;
    }

    close() {
      URL.revokeObjectURL(this.thumbnail);
      this.el.remove();
      count();
    }
  }

  const read = (text) => {
    try { return JSON.parse(text); } catch { return {}; }
  };

  // The server's card, with the local thumbnail until there is one on the server.
  const cardFrom = (html, thumbnail) => {
    const holder = document.createElement('template');
    holder.innerHTML = html;
    const card = holder.content.querySelector('.card');
    if (thumbnail) keep(card, thumbnail);
    return card;
  };

  const keep = (card, thumbnail) => {
    const skeleton = card.querySelector('.picture .skeleton');
    if (!skeleton) return;
    const img = new Image();
    img.alt = '';
    img.addEventListener('error', () => img.replaceWith(skeleton), { once: true });
    img.src = thumbnail;
    skeleton.replaceWith(img);
  };

  const next = () => {
    while (sending < AT_ONCE && waiting.length > 0) {
      sending += 1;
      waiting.shift().send().finally(() => { sending -= 1; count(); next(); });
    }
    count();
  };

  const take = (files) => {
    const fresh = [...files].map((file) => new Sending(file));
    cards.prepend(...fresh.map((one) => one.el));
    main.classList.toggle('has-cards', cards.children.length > 0);
    for (const one of fresh) one.queue();
  };

  // ---- how far all of them are ---------------------------------------------------

  const count = () => {
    const unsent = sending + waiting.length;
    const open = cards.querySelectorAll('[data-open]').length;
    const words = [];
    if (unsent > 0) words.push(`${unsent} to upload`);
    if (open > 0) words.push(`${open} being looked at`);
    document.getElementById('progress').textContent = words.join(', ');
    main.classList.toggle('has-cards', cards.children.length > 0);
  };

  window.addEventListener('beforeunload', (event) => {
    if (sending + waiting.length > 0) event.preventDefault();
  });

  // ---- following those that are on the server --------------------------------------

  let stream;
  let followed = '';
  let soon;

  const follow = () => {
    clearTimeout(soon);
    soon = setTimeout(followNow, 50);
  };

  const followNow = () => {
    const ids = [...cards.querySelectorAll('[data-open]')].slice(0, FOLLOWED).map((card) => card.dataset.id);
    const wanted = ids.join(',');
    count();
    if (wanted === followed && stream?.readyState !== EventSource.CLOSED) return;
    stream?.close();
    followed = wanted;
    if (!wanted) return;
    stream = new EventSource(`/photos/events?ids=${wanted}`);
    stream.addEventListener('card', (event) => place(event.data));
    stream.addEventListener('end', () => { stream.close(); follow(); });
    stream.addEventListener('error', () => {
      if (stream.readyState === EventSource.CLOSED) soon = setTimeout(followNow, 3000);
    });
  };

  const place = (html) => {
    const card = cardFrom(html);
    const old = document.getElementById(card.id);
    if (!old || old.className === card.className) return; // it is in this state already
    const local = old.querySelector('img[src^="blob:"]');
    if (local) swapWhenLoaded(card, local);
    old.replaceWith(card);
    count();
  };

  // Shows the local thumbnail until the server's is there: no empty moment between.
  const swapWhenLoaded = (card, local) => {
    const img = card.querySelector('.picture img');
    if (!img) { keep(card, local.src); return; }
    const finished = new Image();
    finished.alt = '';
    finished.src = img.src;
    img.replaceWith(local);
    finished.decode().then(() => { local.replaceWith(finished); URL.revokeObjectURL(local.src); }, () => {});
  };

  // ---- choosing and dropping --------------------------------------------------------

  input.required = false;
  input.addEventListener('change', () => { take(input.files); input.value = ''; });
  document.getElementById('drop').addEventListener('submit', (event) => event.preventDefault());

  let depth = 0; // dragenter and dragleave come for every element passed
  const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes('Files');
  const over = (now) => {
    depth = now;
    document.body.classList.toggle('dropping', depth > 0);
  };
  addEventListener('dragenter', (event) => { if (hasFiles(event)) { event.preventDefault(); over(depth + 1); } });
  addEventListener('dragleave', (event) => { if (hasFiles(event)) over(Math.max(0, depth - 1)); });
  addEventListener('dragover', (event) => { if (hasFiles(event)) { event.preventDefault(); event.dataTransfer.dropEffect = 'copy'; } });
  addEventListener('drop', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    over(0);
    take(event.dataTransfer.files);
  });
  addEventListener('paste', (event) => {
    if (event.clipboardData?.files.length > 0) { event.preventDefault(); take(event.clipboardData.files); }
  });

  // ---- a link --------------------------------------------------------------------------

  byLink.addEventListener('submit', async (event) => {
    event.preventDefault();
    const field = byLink.elements.link;
    const button = byLink.querySelector('button');
    button.disabled = true;
    try {
      const answer = await fetch('/links', {
        method: 'POST',
        headers: { Accept: 'application/json', 'X-Card': 'yes' },
        body: new URLSearchParams({ link: field.value }),
      });
      const text = await answer.text();
      if (answer.status === 401) { location.assign('/login?next=/'); return; }
      if (!answer.ok) { complain(read(text).detail ?? 'Something went wrong on our side.'); return; }
      cards.prepend(cardFrom(text));
      field.value = '';
      complain('');
      follow();
    } catch {
      complain('The connection was lost. Please try again.');
    } finally {
      button.disabled = false;
    }
  });

  const complain = (words) => {
    const field = byLink.elements.link;
    let note = byLink.querySelector('.wrong');
    if (!note) {
      note = document.createElement('p');
      note.className = 'wrong';
      note.setAttribute('role', 'alert');
      byLink.append(note);
    }
    note.textContent = words;
    field.setAttribute('aria-invalid', words ? 'true' : 'false');
  };

  follow();
})();
