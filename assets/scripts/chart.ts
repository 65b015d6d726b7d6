// Draws each chart from the table that stands below it (templates/_components/chart.html): the
// numbers, the words and the links are the table's, so picture and table cannot differ. Loaded only
// by pages that show one. Colours are the tokens by name: a change of theme, and paper, need no
// second drawing.
import { BarChart, LineChart } from "echarts/charts";
import { GridComponent } from "echarts/components";
import { type ECharts, init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

use([BarChart, LineChart, GridComponent, SVGRenderer]);

type Option = Parameters<ECharts["setOption"]>[0];

interface Cell {
  value: number | null;
  text: string;
  link: HTMLAnchorElement | null;
}

interface Column {
  label: string;
  tone: string;
  cells: Cell[];
}

const STROKES = ["solid", "dashed", "dotted"] as const;
const SHAPES = ["circle", "rect", "triangle"];
const LINE_HEIGHT = 256;
const BAR_STEP = 30; // pixels a bar, with its gap

const ink = (tone: string): string =>
  tone === "neutral" ? "var(--line-strong)" : `var(--${tone}-text)`;

function words(font: string): object {
  return { color: "var(--ink-2)", fontFamily: font, fontSize: 13 };
}

// The table's rows that the picture shows.
function rowsOf(figure: HTMLElement): HTMLTableRowElement[] {
  const rows = [...figure.querySelector("table")!.tBodies[0].rows];
  return rows.slice(0, Number(figure.dataset.shown ?? rows.length));
}

function columns(figure: HTMLElement): Column[] {
  const heads = [...figure.querySelector("table")!.tHead!.rows[0].cells];
  const rows = rowsOf(figure);
  return heads.flatMap((head, at) => {
    if (!head.dataset.tone) return [];
    const cells = rows.map(({ cells: { [at]: cell } }) => ({
      value: cell.dataset.value === undefined ? null : Number(cell.dataset.value),
      text: cell.textContent!.trim(),
      link: cell.querySelector("a"),
    }));
    return [{ label: head.textContent!.trim(), tone: head.dataset.tone, cells }];
  });
}

function series(kind: string, column: Column, at: number, tones: string[], font: string): object {
  const shared = {
    name: column.label,
    emphasis: { disabled: true },
    data: column.cells.map(({ value, link }, row) => ({
      value,
      cursor: link ? "pointer" : "default",
      itemStyle: { color: ink(tones[row] || column.tone) },
    })),
  };
  const label = {
    ...words(font),
    show: true,
    color: "var(--ink)",
    formatter: ({ dataIndex }: { dataIndex: number }) => column.cells[dataIndex].text,
  };
  if (kind === "bars") {
    return { ...shared, type: "bar", barMaxWidth: 16, label: { ...label, position: "right" } };
  }
  return {
    ...shared,
    type: "line",
    symbol: SHAPES[at % SHAPES.length],
    symbolSize: 9,
    lineStyle: { color: ink(column.tone), type: STROKES[at % STROKES.length], width: 2 },
  };
}

function option(figure: HTMLElement, drawn: Column[]): Option {
  const font = getComputedStyle(figure).fontFamily;
  const rows = rowsOf(figure);
  const kind = figure.dataset.chart!;
  const bars = kind === "bars";
  const most = figure.dataset.most;
  const names = {
    type: "category",
    data: rows.map((row) => row.cells[0].textContent!.trim()),
    axisLine: { lineStyle: { color: "var(--line-strong)" } },
    axisTick: { show: false },
    axisLabel: { ...words(font), hideOverlap: true, width: 136, overflow: "truncate" },
  };
  const numbers = {
    type: "value",
    min: 0,
    max: most ? Number(most) : undefined,
    minInterval: 1,
    splitNumber: 4,
    axisLabel: { ...words(font), hideOverlap: true },
    splitLine: { show: !bars, lineStyle: { color: "var(--line)" } },
  };
  return {
    animation: false,
    // The longest number beside a full bar has its room.
    grid: { left: 4, right: bars ? 56 : 16, top: 12, bottom: 4, outerBoundsMode: "same" },
    xAxis: bars ? { ...numbers, axisLabel: { show: false } } : { ...names, boundaryGap: false },
    yAxis: bars ? { ...names, inverse: true, axisLabel: { ...names.axisLabel, interval: 0 } } : numbers,
    series: drawn.map((column, at) =>
      series(kind, column, at, rows.map((row) => row.dataset.tone ?? ""), font),
    ),
  };
}

function draw(figure: HTMLElement): void {
  const picture = figure.querySelector<HTMLElement>(".chart-picture")!;
  const drawn = columns(figure);
  picture.hidden = false;
  const rows = drawn[0].cells.length;
  picture.style.height = `${figure.dataset.chart === "bars" ? rows * BAR_STEP + 24 : LINE_HEIGHT}px`;
  const chart: ECharts = init(picture, null, { renderer: "svg" });
  chart.setOption(option(figure, drawn));
  // A point opens what its cell in the table opens.
  chart.on("click", (at) => drawn[at.seriesIndex!].cells[at.dataIndex].link?.click());
  new ResizeObserver(() => chart.resize()).observe(picture);
  for (const more of figure.querySelectorAll(".chart-key, .chart-part")) more.removeAttribute("hidden");
  figure.querySelector("details")!.open = false;
}

for (const figure of document.querySelectorAll<HTMLElement>("[data-chart]")) draw(figure);
