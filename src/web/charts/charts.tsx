/** Charts of a location, or of all: messages per hour, and how long they took. */
import { useContext, useEffect, useRef, useState } from 'preact/hooks'
import { type Api, got, type Session, type Stats } from '../api/client.ts'
import { spacedPhone } from '../parts/countries.ts'
import { ZoneContext } from '../parts/times.ts'
import { useWords } from '../words/spoken.tsx'
import type { HoursChart, HoursData } from './hours-chart.ts'
import { Timings, TimingsByNumber } from './timings.tsx'

const HOUR_MS = 3_600_000
const SPANS = { day: 24, week: 7 * 24 } as const
type Span = keyof typeof SPANS

export interface ChartsProps {
  readonly api: Api
  /** Undefined: all locations. */
  readonly locationId?: string
  readonly sessions: readonly Session[]
}

export function Charts(props: ChartsProps) {
  const { say } = useWords()
  const [isOpen, setOpen] = useState(false)
  return (
    <details class="card charts" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>{say('charts.title')}</summary>
      {isOpen && <OpenCharts {...props} />}
    </details>
  )
}

export function OpenCharts({ api, locationId, sessions }: ChartsProps) {
  const { say } = useWords()
  const [span, setSpan] = useState<Span>('day')
  const [sessionId, setSession] = useState('')
  const [stats, setStats] = useState<Stats>()
  useEffect(() => {
    const to = Math.ceil(Date.now() / HOUR_MS) * HOUR_MS
    const query = {
      from: new Date(to - SPANS[span] * HOUR_MS).toISOString(),
      to: new Date(to).toISOString(),
      ...(locationId !== undefined && { locationId }),
      ...(sessionId !== '' && { sessionId }),
    }
    got(api.GET('/api/stats', { params: { query } })).then(setStats, () => undefined)
  }, [api, locationId, sessionId, span])
  return (
    <>
      <div class="actions">
        <select
          aria-label={say('charts.span')}
          value={span}
          onChange={({ currentTarget }) => setSpan(currentTarget.value === 'week' ? 'week' : 'day')}
        >
          <option value="day">{say('charts.day')}</option>
          <option value="week">{say('charts.week')}</option>
        </select>
        {sessions.length > 1 && (
          <select
            aria-label={say('charts.number')}
            value={sessionId}
            onChange={({ currentTarget }) => setSession(currentTarget.value)}
          >
            <option value="">{say('charts.all')}</option>
            {sessions.map((session) => (
              <option key={session.id} value={session.id}>
                {session.name ?? spacedPhone(session.phoneNumber ?? '')}
              </option>
            ))}
          </select>
        )}
      </div>
      {stats === undefined ? (
        <p class="muted">{say('pair.title.wait')}</p>
      ) : (
        <>
          <h3>{say('charts.hours')}</h3>
          <Hours stats={stats} />
          <h3>{say('charts.timings')}</h3>
          <Timings stats={stats} />
          {sessionId === '' && <TimingsByNumber stats={stats} sessions={sessions} />}
        </>
      )}
    </>
  )
}

function Hours({ stats }: { stats: Stats }) {
  const { say, language } = useWords()
  const zone = useContext(ZoneContext)
  const host = useRef<HTMLDivElement>(null)
  const chart = useRef<HoursChart | undefined>(undefined)
  useEffect(() => {
    let isGone = false
    // The chart is a picture of the figures; without it they still stand in the ledger above.
    void import('./hours-chart.ts').then(({ drawHours }) => {
      if (isGone || host.current === null) return
      const labels = [say('charts.time'), say('today.inbound'), say('today.outbound')] as const
      chart.current = drawHours(host.current, everyHour(stats), labels, { language, zone })
    })
    return () => {
      isGone = true
      chart.current?.remove()
      chart.current = undefined
    }
  }, [stats, language, zone])
  const total = stats.inbound.received + stats.outbound.accepted
  return <div ref={host} class="chart" role="img" aria-label={say('charts.hours.label', { total })} />
}

/** Quiet hours are hours, too. */
function everyHour({ from, to, hours }: Stats): HoursData {
  const known = new Map(hours.map((hour) => [Date.parse(hour.at), hour]))
  const starts: number[] = []
  for (let at = Date.parse(from); at < Date.parse(to); at += HOUR_MS) starts.push(at)
  return {
    hours: starts.map((at) => at / 1_000),
    inbound: starts.map((at) => known.get(at)?.inbound ?? 0),
    outbound: starts.map((at) => known.get(at)?.outbound ?? 0),
  }
}
