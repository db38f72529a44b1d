/** Messages per hour as bars, in and out side by side. Loaded only when somebody looks: the library is half of a page. */
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'

export interface HoursData {
  /** Unix seconds, one per hour. */
  readonly hours: readonly number[]
  readonly inbound: readonly number[]
  readonly outbound: readonly number[]
}

export interface HoursChart {
  show(data: HoursData): void
  remove(): void
}

const HEIGHT = 220
const HOUR_SEC = 3_600

/**
 * @param labels for time, in and out, in the reader's language.
 * @param zone IANA name of the zone whose hours stand below the bars; undefined: the reader's own.
 */
export function drawHours(
  host: HTMLElement,
  data: HoursData,
  labels: readonly [string, string, string],
  { language, zone }: { readonly language: string; readonly zone: string | undefined },
): HoursChart {
  const style = getComputedStyle(host)
  const color = (name: string) => style.getPropertyValue(name)
  const bars = (align: -1 | 1) => {
    const paths = uPlot.paths.bars?.({ size: [0.4, 28], align, gap: 1 })
    return paths === undefined ? {} : { paths }
  }
  const axis = { stroke: color('--chart-text'), grid: { stroke: color('--chart-grid'), width: 1 } }
  const timeZone = zone === undefined ? {} : { timeZone: zone }
  const clock = new Intl.DateTimeFormat(language, { ...timeZone, hour: 'numeric' })
  const day = new Intl.DateTimeFormat(language, {
    ...timeZone,
    ...{ day: 'numeric', month: 'short', hour: 'numeric' },
  })
  const series = (label: string, name: string, align: -1 | 1): uPlot.Series => ({
    label,
    fill: color(name),
    stroke: color(name),
    width: 0,
    ...bars(align),
    points: { show: false },
  })
  const plot = new uPlot(
    {
      width: host.clientWidth,
      height: HEIGHT,
      ...(zone !== undefined && { tzDate: (sec: number) => uPlot.tzDate(new Date(sec * 1_000), zone) }),
      scales: { y: { range: (_plot, _least, most) => [0, Math.max(4, most * 1.1)] } },
      axes: [
        {
          ...axis,
          incrs: [HOUR_SEC, 3 * HOUR_SEC, 6 * HOUR_SEC, 24 * HOUR_SEC, 7 * 24 * HOUR_SEC],
          values: (_plot, ticks) => ticks.map((tick) => clock.format(tick * 1_000)),
        },
        { ...axis, size: 44, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000] },
      ],
      series: [
        {
          label: labels[0],
          // Nothing is pointed at: uPlot asks all the same.
          value: (_plot, at: number | null) => (at === null ? '–' : day.format(at * 1_000)),
        },
        series(labels[1], '--chart-in', -1),
        series(labels[2], '--chart-out', 1),
      ],
      cursor: { drag: { x: false, y: false } },
    },
    columns(data),
    host,
  )
  const resizing = new ResizeObserver(() => {
    plot.setSize({ width: host.clientWidth, height: HEIGHT })
  })
  resizing.observe(host)
  return {
    show: (next) => {
      plot.setData(columns(next))
    },
    remove: () => {
      resizing.disconnect()
      plot.destroy()
    },
  }
}

const columns = ({ hours, inbound, outbound }: HoursData): uPlot.AlignedData => [
  [...hours],
  [...inbound],
  [...outbound],
]
