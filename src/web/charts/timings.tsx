/** How long messages took: all together, and number beside number. */
import type { Session, Stats } from '../api/client.ts'
import { spacedPhone } from '../parts/countries.ts'
import { useWords } from '../words/spoken.tsx'
import { lengthOf } from './lengths.ts'

const WAYS = ['toGhl', 'toWhatsApp', 'toPhone'] as const
type Way = (typeof WAYS)[number]
type Timing = NonNullable<Stats['timings'][Way]>

interface Row {
  readonly key: string
  readonly label: string
  readonly timing: Timing | null
}

export function Timings({ stats }: { stats: Stats }) {
  const { say } = useWords()
  const rows = WAYS.map((way) => ({ key: way, label: say(`charts.${way}`), timing: stats.timings[way] }))
  return <TimingTable first={say('charts.way')} rows={rows} />
}

/** One table for each way that two numbers or more have gone; with fewer there is nothing to compare. */
export function TimingsByNumber({ stats, sessions }: { stats: Stats; sessions: readonly Session[] }) {
  const { say } = useWords()
  const label = (sessionId: string): string => {
    const session = sessions.find(({ id }) => id === sessionId)
    return session?.name ?? spacedPhone(session?.phoneNumber ?? '')
  }
  return (
    <>
      {WAYS.map((way) => {
        const known = stats.numbers.filter(
          (number) => number[way] !== null && sessions.some(({ id }) => id === number.sessionId),
        )
        if (known.length < 2) return null
        const title = say('charts.byNumber', { way: say(`charts.${way}`) })
        const rows = known.map((number) => ({
          key: number.sessionId,
          label: label(number.sessionId),
          timing: number[way],
        }))
        return (
          <div key={way} data-way={way}>
            <h3>{title}</h3>
            <TimingTable first={say('charts.number')} rows={rows} />
          </div>
        )
      })}
    </>
  )
}

function TimingTable({ first, rows }: { first: string; rows: readonly Row[] }) {
  const { say, language } = useWords()
  const most = Math.max(1, ...rows.map(({ timing }) => timing?.p95Ms ?? 0))
  const figure = new Intl.NumberFormat(language)
  const cell = (ms: number | undefined) => (
    <td>
      {ms === undefined ? '–' : lengthOf(ms, language)}
      {ms !== undefined && <meter min={0} max={most} value={ms} aria-hidden="true" />}
    </td>
  )
  return (
    <table class="timings">
      <thead>
        <tr>
          <th scope="col">{first}</th>
          <th scope="col">{say('charts.p50')}</th>
          <th scope="col">{say('charts.p95')}</th>
          <th scope="col">{say('charts.count')}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ key, label, timing }) => (
          <tr key={key}>
            <th scope="row">{label}</th>
            {cell(timing?.p50Ms)}
            {cell(timing?.p95Ms)}
            <td>{figure.format(timing?.count ?? 0)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
