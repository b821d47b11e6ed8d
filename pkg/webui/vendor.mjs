// Copies from node_modules into vendor/ exactly the files that the pages serve,
// with their licences. Runs after `npm ci`.
import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const files = {
  'htmx.min.js': 'htmx.org/dist/htmx.min.js',
  'htmx.LICENSE': 'htmx.org/LICENSE',
  'uPlot.iife.min.js': 'uplot/dist/uPlot.iife.min.js',
  'uPlot.min.css': 'uplot/dist/uPlot.min.css',
  'uPlot.LICENSE': 'uplot/LICENSE',
};

mkdirSync(join(here, 'vendor'), { recursive: true });
for (const [to, from] of Object.entries(files)) {
  copyFileSync(join(here, 'node_modules', from), join(here, 'vendor', to));
}
