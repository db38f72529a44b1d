/** Messages as bars over time, in and out side by side. Loaded only when somebody looks: the library is half of a page. */
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { type Bars, drawnRange } from './bars.ts'

export interface HoursChart {
  remove(): void
}

const HEIGHT = 220
const HOUR_SEC = 3_600
const DAY_SEC = 24 * HOUR_SEC
/** Pixels: of a figure at the side, and around it. */
const DIGIT = 8
const AROUND = 18
/** Of each bar, as a part of its step. */
const WIDTH = 0.4

/**
 * @param labels for time, in and out, in the reader's language.
 * @param zone IANA name of the zone whose hours stand below the bars; undefined: the reader's own.
 */
export function drawHours(
  host: HTMLElement,
  bars: Bars,
  labels: readonly [string, string, string],
  { language, zone }: { readonly language: string; readonly zone: string | undefined },
): HoursChart {
  const style = getComputedStyle(host)
  const color = (name: string) => style.getPropertyValue(name)
  const axis = { stroke: color('--chart-text'), grid: { stroke: color('--chart-grid'), width: 1 } }
  const timeZone = zone === undefined ? {} : { timeZone: zone }
  const formatted = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(language, { ...timeZone, ...options })
  const clock = formatted({ hour: 'numeric' })
  const day = formatted({ weekday: 'short', day: 'numeric' })
  const moment = formatted({ day: 'numeric', month: 'short', hour: 'numeric' })
  const midnight = formatted({ hour: 'numeric', hourCycle: 'h23' })
  const isMidnight = (atMs: number) => Number.parseInt(midnight.format(atMs), 10) === 0
  const figure = new Intl.NumberFormat(language)
  const series = (label: string, name: string, align: -1 | 1): uPlot.Series => {
    const paths = uPlot.paths.bars?.({ size: [WIDTH, 28], align, gap: 1 })
    return {
      label,
      fill: color(name),
      stroke: color(name),
      width: 0,
      ...(paths !== undefined && { paths }),
      points: { show: false },
      value: (_plot, many: number | null) => (many === null ? '' : figure.format(many)),
    }
  }
  const isLong = bars.stepSec > HOUR_SEC
  const plot = new uPlot(
    {
      width: host.clientWidth,
      height: HEIGHT,
      ...(zone !== undefined && { tzDate: (sec: number) => uPlot.tzDate(new Date(sec * 1_000), zone) }),
      scales: {
        x: { range: () => drawnRange(bars) },
        y: { range: (_plot, _least, most) => [0, Math.max(4, most * 1.1)] },
      },
      axes: [
        {
          ...axis,
          incrs: isLong
            ? [DAY_SEC, 2 * DAY_SEC, 7 * DAY_SEC]
            : [HOUR_SEC, 3 * HOUR_SEC, 6 * HOUR_SEC, 12 * HOUR_SEC],
          values: (_plot, ticks) =>
            ticks.map((tick) => (isLong || isMidnight(tick * 1_000) ? day : clock).format(tick * 1_000)),
        },
        {
          ...axis,
          incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000],
          values: (_plot, ticks) => ticks.map((tick) => figure.format(tick)),
          size: (_plot, texts: string[] | null) =>
            AROUND + DIGIT * Math.max(2, ...(texts ?? []).map(({ length }) => length)),
        },
      ],
      series: [
        {
          label: labels[0],
          // Nothing is pointed at: uPlot asks all the same.
          value: (_plot, at: number | null) => (at === null ? '' : moment.format(at * 1_000)),
        },
        series(labels[1], '--chart-in', -1),
        series(labels[2], '--chart-out', 1),
      ],
      cursor: { drag: { x: false, y: false } },
    },
    [[...bars.starts], [...bars.inbound], [...bars.outbound]],
    host,
  )
  const resizing = new ResizeObserver(() => {
    plot.setSize({ width: host.clientWidth, height: HEIGHT })
  })
  resizing.observe(host)
  return {
    remove: () => {
      resizing.disconnect()
      plot.destroy()
    },
  }
}
