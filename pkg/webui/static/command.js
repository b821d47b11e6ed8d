// The line below a form that does the same as its button says what is in the form.
(() => {
  'use strict';
  const form = document.querySelector('form[data-command]');
  const line = document.getElementById(form?.dataset.command);
  const [, subject, text] = line?.textContent.match(/^nats req (\S+) '(.*)'$/s) ?? [];
  if (!subject) return;
  const first = JSON.parse(text.replaceAll("'\\''", "'"));

  const read = {
    text: (field) => field.value.trim() || undefined,
    number: (field) => (field.value === '' ? undefined : Number(field.value)),
    yes: (field) => field.checked || undefined,
    one: (field, so) => (field.checked ? field.value : so),
    day: (field) => (field.value ? `${field.value}T00:00:00Z` : undefined),
  };

  const tell = () => {
    const request = { ...first };
    for (const field of form.querySelectorAll('[data-part]')) {
      request[field.name] = read[field.dataset.part](field, request[field.name]);
    }
    for (const field of form.querySelectorAll('[data-only]')) { // it counts for one choice alone
      if (request[field.dataset.only] !== field.name) delete request[field.name];
    }
    const quoted = JSON.stringify(request).replaceAll("'", "'\\''");
    line.textContent = `nats req ${subject} '${quoted}'`;
  };

  // What is typed belongs to its choice.
  form.addEventListener('input', (event) => {
    const { only } = event.target.dataset;
    if (only && event.target.value) form.querySelector(`[name="${only}"][value="${event.target.name}"]`).checked = true;
    tell();
  });
  tell();
})();
