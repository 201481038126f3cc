// Draws one chart for each workload: time by workers, one line for each backend, whiskers for the spread. The tables below
// the charts hold the same numbers, so the page loses nothing where scripts do not run.
"use strict";
(function () {
  const report = JSON.parse(document.getElementById("report").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  // A shape for each backend as well as a colour, for those who do not tell the colours apart.
  const shapes = { thread: "circle", process: "triangle", tbb: "rectRot" };
  const apart = 0.07;
  const dashes = { serial: [7, 5], inline: [2, 4] };

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  }

  function unitFor(seconds) {
    if (seconds >= 1) return { name: "s", seconds: 1 };
    if (seconds >= 1e-3) return { name: "ms", seconds: 1e-3 };
    return { name: "µs", seconds: 1e-6 };
  }

  // The rows of one backend as a line over the worker counts; position n on the axis is the n-th count. Backends stand a
  // little apart there, as some are equally fast and would hide each other. Rows without workers of their own (serial,
  // inline) become a level line from edge to edge, as a mark to measure the others by; hence one position more at
  // either end of every line.
  function datasetOf(backend, rows, counts, shift, unit) {
    const level = backend in dashes;
    const rowAt = (count) => (level ? rows[0] : rows.find((row) => row.workers === count));
    const edge = level ? rows[0] : undefined;
    const points = [edge, ...counts.map(rowAt), edge];
    const last = counts.length - 0.5;
    const position = (at) => (at === 0 ? -0.5 : at > counts.length ? last : at - 1 + (level ? 0 : shift));
    const inUnit = (row, which) => (row ? row.seconds[which] / unit.seconds : null);
    return {
      label: backend,
      rows: points,
      whiskers: level ? [] : points.map((row) => row && [inUnit(row, "low"), inUnit(row, "high")]),
      data: points.map((row, at) => ({ x: position(at), y: inUnit(row, "median") })),
      borderDash: dashes[backend] || [],
      borderWidth: level ? 1.5 : 2.5,
      pointStyle: level ? "line" : shapes[backend],
      pointRadius: level ? 0 : 5,
      pointHoverRadius: level ? 0 : 7,
      spanGaps: true,
    };
  }

  // Colours come from the style sheet, which knows light from dark. Takes a chart or what one is made of.
  function paint(chart) {
    for (const dataset of chart.data.datasets) {
      dataset.borderColor = dataset.backgroundColor = colour(dataset.label);
      dataset.pointBorderColor = dataset.pointBackgroundColor = dataset.borderColor;
    }
    for (const axis of Object.values(chart.options.scales)) {
      axis.grid.color = axis.grid.borderColor = colour("grid");
      axis.ticks.color = axis.title.color = colour("muted");
    }
  }

  const whiskers = {
    id: "whiskers",
    beforeDatasetsDraw(chart) {
      const { ctx, scales } = chart;
      chart.data.datasets.forEach((dataset, index) => {
        if (!chart.isDatasetVisible(index)) return;
        chart.getDatasetMeta(index).data.forEach((point, at) => {
          const ends = dataset.whiskers[at];
          if (!ends || ends[0] === ends[1]) return;
          const low = scales.y.getPixelForValue(ends[0]);
          const high = scales.y.getPixelForValue(ends[1]);
          ctx.save();
          ctx.strokeStyle = dataset.borderColor;
          ctx.lineWidth = 1.5;
          ctx.beginPath();
          ctx.moveTo(point.x, low);
          ctx.lineTo(point.x, high);
          for (const y of [low, high]) {
            ctx.moveTo(point.x - 5, y);
            ctx.lineTo(point.x + 5, y);
          }
          ctx.stroke();
          ctx.restore();
        });
      });
    },
  };

  // A ring around the advised point.
  function ringFor(advice) {
    return {
      id: "ring",
      afterDatasetsDraw(chart) {
        chart.data.datasets.forEach((dataset, index) => {
          if (dataset.label !== advice.backend || dataset.label in dashes || !chart.isDatasetVisible(index)) return;
          const at = dataset.rows.findIndex((row) => row && row.workers === advice.workers);
          const point = chart.getDatasetMeta(index).data[at];
          chart.ctx.save();
          chart.ctx.strokeStyle = colour("ink");
          chart.ctx.lineWidth = 1.5;
          chart.ctx.beginPath();
          chart.ctx.arc(point.x, point.y, 11, 0, 2 * Math.PI);
          chart.ctx.stroke();
          chart.ctx.restore();
        });
      },
    };
  }

  function titleOf(count) {
    return count + (count === 1 ? " worker" : " workers");
  }

  function tooltipLine(item, unit) {
    const row = item.dataset.rows[item.dataIndex];
    const half = (row.seconds.high - row.seconds.low) / 2 / unit.seconds;
    return ` ${row.backend}: ${item.parsed.y.toPrecision(3)} ± ${half.toPrecision(2)} ${unit.name}, ` +
      `${row.speedup.toFixed(2)}x serial`;
  }

  function optionsFor(counts, unit, highest) {
    return {
      animation: still.matches ? false : { duration: 300 },
      maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      layout: { padding: { top: 4, right: 8 } },
      scales: {
        x: {
          type: "linear",
          min: -0.5,
          max: counts.length - 0.5,
          title: { display: true, text: "workers" },
          grid: { drawOnChartArea: false },
          afterBuildTicks: (axis) => { axis.ticks = counts.map((_, at) => ({ value: at })); },
          ticks: { callback: (value) => String(counts[value]) },
        },
        y: {
          title: { display: true, text: "time (" + unit.name + ")" },
          grid: {},
          ticks: {},
          beginAtZero: true,
          suggestedMax: highest,  // the ends of the whiskers, which the scale does not know of
        },
      },
      plugins: {
        legend: { display: false },
        tooltip: {
          usePointStyle: true,
          filter: (item) => item.dataIndex > 0 && item.dataIndex <= counts.length,
          callbacks: {
            title: (items) => titleOf(counts[items[0].dataIndex - 1]),
            label: (item) => tooltipLine(item, unit),
          },
        },
      },
    };
  }

  // Buttons with the keys of the table; each shows or hides its line.
  function legendOf(chart) {
    const legend = document.createElement("figcaption");
    legend.className = "legend";
    chart.data.datasets.forEach((dataset, index) => {
      const button = document.createElement("button");
      const key = document.createElement("span");
      key.className = "key key-" + dataset.label;
      button.type = "button";
      button.append(key, dataset.label);
      button.setAttribute("aria-pressed", "true");
      button.addEventListener("click", () => {
        const shown = !chart.isDatasetVisible(index);
        chart.setDatasetVisibility(index, shown);
        button.setAttribute("aria-pressed", String(shown));
        chart.update();
      });
      legend.append(button);
    });
    return legend;
  }

  function draw(workload) {
    const unit = unitFor(workload.rows[0].seconds.median);
    const backends = [...new Set(workload.rows.map((row) => row.backend))];
    const counts = [...new Set(workload.rows.filter((row) => !(row.backend in dashes)).map((row) => row.workers))];
    if (counts.length === 0) counts.push(1);
    const lines = backends.filter((backend) => !(backend in dashes));
    const highest = Math.max(...workload.rows.map((row) => row.seconds.high)) / unit.seconds;
    const datasets = backends.map((backend) => {
      const rows = workload.rows.filter((row) => row.backend === backend);
      const shift = (lines.indexOf(backend) - (lines.length - 1) / 2) * apart;
      return datasetOf(backend, rows, counts, shift, unit);
    });
    const canvas = document.getElementById("chart-" + workload.name);
    const figure = canvas.closest("figure");
    figure.hidden = false;
    const config = {
      type: "line",
      data: { datasets },
      options: optionsFor(counts, unit, highest),
      plugins: [whiskers, ringFor(workload.advice)],
    };
    paint(config);
    const chart = new Chart(canvas, config);
    figure.prepend(legendOf(chart));
    return chart;
  }

  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  Chart.defaults.font.size = 13;
  const charts = report.workloads.map(draw);
  dark.addEventListener("change", () => charts.forEach((chart) => {
    paint(chart);
    chart.update("none");
  }));
})();
