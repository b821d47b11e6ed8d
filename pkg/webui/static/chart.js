// Charts: each is drawn by uPlot from the table below it, whenever that changes. Those
// of a page share the time axis, the cursor and the zoom. The numbers under the cursor
// stand in the legend; with nothing under it, the newest do.
(() => {
  'use strict';
  const HEIGHT = 230;
  const thin = '\u202f';
  const drawn = new Map(); // by the chart's name
  const dashes = [[], [8, 4], [2, 3], [8, 3, 2, 3]]; // lines are told apart without colours, too

  // ---- colours -------------------------------------------------------------------

  const probe = document.createElement('span');
  probe.hidden = true;
  document.body.append(probe);
  const resolved = new Map();
  const colour = (name) => {
    if (!resolved.has(name)) {
      probe.style.color = `var(--${name})`;
      resolved.set(name, getComputedStyle(probe).color);
    }
    return resolved.get(name);
  };

  // ---- reading -------------------------------------------------------------------

  const read = (figure) => {
    const lines = [...figure.querySelectorAll('th[data-line]')].map((th) => ({
      name: th.dataset.line, unit: th.dataset.unit, right: 'right' in th.dataset, step: 'step' in th.dataset,
    }));
    const rows = [...figure.querySelectorAll('.numbers tbody tr')].reverse();
    const data = [rows.map((row) => Number(row.dataset.at))];
    lines.forEach((_, i) => data.push(rows.map((row) => {
      const value = row.cells[i + 1].dataset.value;
      return value === undefined ? null : Number(value);
    })));
    const marks = [...figure.querySelectorAll('[data-mark]')].map((p) => ({
      at: Number(p.dataset.mark), up: 'up' in p.dataset, words: p.textContent,
    })).sort((a, b) => a.at - b.at);
    return { lines, data, marks, from: Number(figure.dataset.from), to: Number(figure.dataset.to) };
  };

  const shape = (read) => JSON.stringify(read.lines);

  // ---- words ---------------------------------------------------------------------

  const spell = (n) => {
    const [whole, part] = String(Math.round(n * 10) / 10).split('.');
    return whole.replace(/\B(?=(\d{3})+$)/g, thin) + (part ? `.${part}` : '');
  };
  const withUnit = (n, unit) => (n === null || n === undefined ? '\u2013' : spell(n) + (unit ? thin + unit : ''));
  const hours = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
  const clock = new Intl.DateTimeFormat(undefined, { ...hours, second: '2-digit' });
  const minute = new Intl.DateTimeFormat(undefined, hours);

  // lately is how far back a number still tells of now; what came before is of its time.
  const lately = 3;
  const told = (data) => {
    for (let i = data[0].length - 1; i >= 0; i--) if (data.slice(1).some((values) => values[i] !== null)) return i;
    return data[0].length - 1;
  };
  const newest = (data, series) => {
    const last = told(data);
    for (let i = last; i > Math.max(-1, last - lately); i--) if (data[series][i] !== null) return data[series][i];
    return null;
  };
  const nowOr = (data) => (told(data) >= data[0].length - lately ? 'Now' : clock.format(data[0][told(data)] * 1000));

  // ---- drawing -------------------------------------------------------------------

  const drawMarks = (chart) => (u) => {
    const { ctx } = u;
    const { left, top, width, height } = u.bbox;
    const dot = devicePixelRatio;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = colour('text-quiet');
    ctx.lineWidth = dot;
    for (const mark of chart.read.marks) {
      const x = Math.round(u.valToPos(mark.at, 'x', true));
      if (x < left || x > left + width) continue;
      ctx.globalAlpha = 0.55;
      ctx.setLineDash([2 * dot, 3 * dot]);
      ctx.beginPath();
      ctx.moveTo(x, top + 8 * dot);
      ctx.lineTo(x, top + height);
      ctx.stroke();
      ctx.globalAlpha = 1;
      ctx.beginPath(); // a triangle that points to where the size went
      const [tip, base] = mark.up ? [0, 8] : [8, 0];
      ctx.moveTo(x, top + tip * dot);
      ctx.lineTo(x - 5 * dot, top + base * dot);
      ctx.lineTo(x + 5 * dot, top + base * dot);
      ctx.fill();
    }
    ctx.restore();
  };

  // tell says which mark is under the cursor, or was the last.
  const tell = (chart) => {
    const { marks, data } = chart.read;
    const { idx } = chart.plot.cursor;
    let mark = marks.at(-1);
    if (idx !== null && idx !== undefined && marks.length) {
      const at = data[0][idx];
      const near = (chart.plot.scales.x.max - chart.plot.scales.x.min) / 50;
      mark = marks.filter((m) => Math.abs(m.at - at) <= near).at(-1);
    }
    const words = mark ? `${clock.format(mark.at * 1000)}  ${mark.words}` : '';
    if (chart.words.textContent !== words) chart.words.textContent = words;
  };

  const zoomedTo = (chart) => {
    const { min, max } = chart.plot.scales.x;
    return Math.abs(min - chart.read.from) > 1 || Math.abs(max - chart.read.to) > 1;
  };

  const options = (chart, width) => {
    const { lines } = chart.read;
    const onRight = lines.some((line) => line.right);
    const pageHasRight = document.querySelector('th[data-right]') !== null;
    const side = width < 500 ? 44 : 52;
    const percent = lines.filter((line) => !line.right).every((line) => line.unit === '%');
    const axis = (scale, more) => ({
      scale, size: side, gap: 4, font: '12px system-ui, sans-serif',
      stroke: () => colour('text-quiet'), ticks: { show: false }, grid: { stroke: () => colour('line'), width: 1 },
      values: (u, splits) => splits.map((n) => (n === null ? '' : spell(n))), ...more,
    });
    const axes = [
      axis('x', { size: 32, gap: 10, values: (u, splits, i, space, every) => splits.map((s) => (every < 60 ? clock : minute).format(s * 1000)), space: 84, grid: { show: false } }),
      axis('left', percent ? { values: (u, splits) => splits.map((n) => (n === null ? '' : `${spell(n)}${thin}%`)) } : {}),
    ];
    if (onRight) axes.push(axis('right', { side: 1, grid: { show: false } }));
    const fromZero = { range: (u, least, most) => [0, Math.max(1, most ?? 1) * 1.08] };
    const scales = { x: { time: true, range: () => [chart.read.from, chart.read.to] }, left: fromZero };
    if (onRight) scales.right = fromZero;
    if (percent) scales.left = { range: () => [0, 100] };
    return {
      width, height: HEIGHT, scales, axes,
      padding: [12, onRight ? 0 : pageHasRight ? side : 30, 0, 0],
      cursor: { sync: { key: 'page' }, drag: { x: true, y: false }, points: { size: 7 }, y: false },
      legend: { markers: { width: 2, dash: (u, i) => ['solid', 'dashed', 'dotted', 'dashed'][(i - 1) % 4] } },
      series: [
        { value: (u, v, i, idx) => (idx === null || idx === undefined ? nowOr(u.data) : clock.format(v * 1000)) },
        ...lines.map((line, i) => ({
          label: line.name, scale: line.right ? 'right' : 'left',
          stroke: () => colour(`chart-${i % 4 + 1}`), width: 2, dash: dashes[i % 4].map((n) => n), spanGaps: false,
          paths: line.step ? uPlot.paths.stepped({ align: 1 }) : undefined,
          points: { show: (u, si, from, to) => to - from < 2 },
          value: (u, v, si, idx) => withUnit(idx === null || idx === undefined ? newest(u.data, si) : v, line.unit),
        })),
      ],
      hooks: {
        draw: [drawMarks(chart)],
        setCursor: [() => chart.plot && tell(chart)],
        setScale: [(u, key) => { if (key === 'x' && chart.plot) chart.whole.hidden = !zoomedTo(chart); }],
      },
    };
  };

  const make = (figure, found) => {
    const holder = figure.querySelector('.plot');
    holder.replaceChildren();
    const chart = { figure, read: found, shape: shape(found) };
    const under = document.createElement('div');
    under.className = figure.querySelector('.numbers th:last-child:not([data-line])') ? 'read marked' : 'read';
    chart.words = document.createElement('p');
    chart.whole = document.createElement('button');
    Object.assign(chart.whole, { type: 'button', className: 'button small', textContent: 'Whole time', hidden: true });
    chart.whole.addEventListener('click', () => {
      for (const one of drawn.values()) one.plot.setScale('x', { min: one.read.from, max: one.read.to });
    });
    under.append(chart.words, chart.whole);
    chart.plot = new uPlot(options(chart, holder.clientWidth), found.data, holder);
    holder.append(under);
    holder.tabIndex = 0;
    holder.setAttribute('role', 'img');
    holder.setAttribute('aria-label', `${figure.querySelector('summary').textContent} below; left and right go through it`);
    chart.width = new ResizeObserver(() => {
      if (holder.clientWidth && holder.clientWidth !== chart.plot.width) chart.plot.setSize({ width: holder.clientWidth, height: HEIGHT });
    });
    chart.width.observe(holder);
    holder.onkeydown = (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const times = chart.plot.data[0];
      const at = chart.plot.cursor.idx ?? (step < 0 ? times.length : -1);
      const to = Math.max(0, Math.min(times.length - 1, at + step));
      chart.plot.setCursor({ left: chart.plot.valToPos(times[to], 'x'), top: 10 }, true, true);
    };
    drawn.set(figure.dataset.chart, chart);
    tell(chart);
  };

  const drop = (name) => {
    const chart = drawn.get(name);
    chart.width.disconnect();
    chart.plot.destroy();
    drawn.delete(name);
  };

  const look = () => {
    const there = new Set();
    for (const figure of document.querySelectorAll('.chart')) {
      const name = figure.dataset.chart;
      there.add(name);
      const found = read(figure);
      const chart = drawn.get(name);
      if (figure.querySelector('.none')) { if (chart) drop(name); continue; }
      if (!chart || chart.figure !== figure || chart.shape !== shape(found)) {
        if (chart) drop(name);
        make(figure, found);
        continue;
      }
      const zoomed = zoomedTo(chart);
      const same = JSON.stringify(found.data) === JSON.stringify(chart.read.data) && found.to === chart.read.to && found.marks.length === chart.read.marks.length;
      if (same) continue;
      chart.read = found;
      chart.plot.setData(found.data, !zoomed);
      if (zoomed) chart.plot.redraw();
      tell(chart);
    }
    for (const name of drawn.keys()) if (!there.has(name)) drop(name);
  };

  const again = () => {
    resolved.clear();
    for (const name of [...drawn.keys()]) drop(name);
    look();
  };

  look();
  document.getElementById('live')?.addEventListener('news', look);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', again);
  new MutationObserver(again).observe(document.documentElement, { attributeFilter: ['data-theme'] });
})();
