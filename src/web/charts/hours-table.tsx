/** The same as the bars, for whoever does not see them. */
import { useContext } from 'preact/hooks'
import { ZoneContext } from '../parts/times.ts'
import { useWords } from '../words/spoken.tsx'
import type { Bars } from './bars.ts'

/** @param isSeen false: for screen readers alone. */
export function HoursTable({ bars, title, isSeen }: { bars: Bars; title: string; isSeen: boolean }) {
  const { say, language } = useWords()
  const zone = useContext(ZoneContext)
  const figure = new Intl.NumberFormat(language)
  const moment = new Intl.DateTimeFormat(language, {
    ...(zone !== undefined && { timeZone: zone }),
    ...{ day: 'numeric', month: 'short', hour: 'numeric' },
  })
  const rows = bars.starts
    .map((startSec, index) => ({
      startSec,
      inbound: bars.inbound[index] ?? 0,
      outbound: bars.outbound[index] ?? 0,
    }))
    .filter(({ inbound, outbound }) => inbound + outbound > 0)
  return (
    <div class={isSeen ? undefined : 'unseen'}>
      <table class="hours">
        <caption>{say('charts.table', { title })}</caption>
        <thead>
          <tr>
            <th scope="col">{say('charts.time')}</th>
            <th scope="col">{say('today.inbound')}</th>
            <th scope="col">{say('today.outbound')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ startSec, inbound, outbound }) => (
            <tr key={startSec}>
              <th scope="row">{moment.format(startSec * 1_000)}</th>
              <td>{figure.format(inbound)}</td>
              <td>{figure.format(outbound)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
