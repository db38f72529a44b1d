/** Charts of a location, or of all: messages per hour, and how long they took. */
import { useCallback, useContext, useEffect, useRef, useState } from 'preact/hooks'
import { type Api, got, type Session, type Stats } from '../api/client.ts'
import { Button } from '../parts/button.tsx'
import { spacedPhone } from '../parts/countries.ts'
import { failureWords } from '../parts/problem-words.ts'
import { ZoneContext } from '../parts/times.ts'
import { useWords } from '../words/spoken.tsx'
import { barsOf } from './bars.ts'
import './charts.css'
import type { HoursChart } from './hours-chart.ts'
import { Timings, TimingsByNumber } from './timings.tsx'

const HOUR_MS = 3_600_000
const SPANS = { day: 24, week: 7 * 24 } as const
/** A bar of each; a week of single hours is a smear. */
const HOURS_EACH = { day: 1, week: 6 } as const
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
      <summary>
        <h2>{say('charts.title')}</h2>
      </summary>
      {isOpen && <OpenCharts {...props} />}
    </details>
  )
}

export function OpenCharts({ api, locationId, sessions }: ChartsProps) {
  const { say, find } = useWords()
  const [span, setSpan] = useState<Span>('day')
  const [sessionId, setSession] = useState('')
  const [shown, setShown] = useState<{ stats?: Stats; span: Span; failure?: unknown }>({ span })
  const asked = useRef(0)
  const look = useCallback(async () => {
    asked.current += 1
    const mine = asked.current
    const to = Math.ceil(Date.now() / HOUR_MS) * HOUR_MS
    const query = {
      from: new Date(to - SPANS[span] * HOUR_MS).toISOString(),
      to: new Date(to).toISOString(),
      ...(locationId !== undefined && { locationId }),
      ...(sessionId !== '' && { sessionId }),
    }
    const answer = await got(api.GET('/api/stats', { params: { query } })).then(
      (stats) => ({ stats, span }),
      (failure: unknown) => ({ failure, span }),
    )
    // A later question has overtaken this one.
    if (mine === asked.current) setShown(answer)
  }, [api, locationId, sessionId, span])
  useEffect(() => {
    void look()
    return () => {
      asked.current += 1
    }
  }, [look])
  const { stats, failure } = shown
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
      {failure !== undefined && (
        <div class="problem" role="alert">
          {failureWords(failure, find)}{' '}
          <Button kind="quiet" act={look}>
            {say('again')}
          </Button>
        </div>
      )}
      {stats === undefined ? (
        failure === undefined && <p class="muted">{say('pair.title.wait')}</p>
      ) : stats.inbound.received + stats.outbound.accepted === 0 ? (
        <p class="muted empty">{say('charts.none')}</p>
      ) : (
        <>
          <h3>{say(shown.span === 'day' ? 'charts.hours' : 'charts.sixHours')}</h3>
          <Hours stats={stats} hoursEach={HOURS_EACH[shown.span]} />
          <h3>{say('charts.timings')}</h3>
          <Timings stats={stats} />
          {sessionId === '' && <TimingsByNumber stats={stats} sessions={sessions} />}
        </>
      )}
    </>
  )
}

function Hours({ stats, hoursEach }: { stats: Stats; hoursEach: number }) {
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
      chart.current = drawHours(host.current, barsOf(stats, hoursEach, zone), labels, { language, zone })
    })
    return () => {
      isGone = true
      chart.current?.remove()
      chart.current = undefined
    }
  }, [stats, hoursEach, language, zone])
  const total = stats.inbound.received + stats.outbound.accepted
  return <div ref={host} class="chart" role="img" aria-label={say('charts.hours.label', { total })} />
}
