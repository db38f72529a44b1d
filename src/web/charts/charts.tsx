/** Charts of a location, or of all: messages per hour, and how long they took. */
import { useContext, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { type Api, got, type Session, type Stats } from '../api/client.ts'
import { createLooks, type Looks } from '../live/looks.ts'
import { Button } from '../parts/button.tsx'
import { spacedPhone } from '../parts/countries.ts'
import { Funnels } from '../parts/funnels.tsx'
import { failureWords } from '../parts/problem-words.ts'
import { useClock, ZoneContext } from '../parts/times.ts'
import { useWords } from '../words/spoken.tsx'
import { barsOf } from './bars.ts'
import './charts.css'
import { HoursTable } from './hours-table.tsx'
import { Timings, TimingsByNumber } from './timings.tsx'

const HOUR_MS = 3_600_000
/** Figures cost the store something: they are not counted anew with every message. */
const REST_MS = 10_000
/** Backstop for changes that nobody told of. */
const LOOK_MS = 60_000
const SPANS = { day: 24, week: 7 * 24 } as const
/** A bar of each; a week of single hours is a smear. */
const HOURS_EACH = { day: 1, week: 6 } as const
type Span = keyof typeof SPANS

export interface ChartsProps {
  readonly api: Api
  /** Undefined: all locations. */
  readonly locationId?: string
  readonly sessions: readonly Session[]
  /** Whatever is another one when messages have moved: the figures are then read again. */
  readonly moved: unknown
}

interface Shown {
  readonly stats?: Stats
  readonly span: Span
  /** When the figures were read, ISO. */
  readonly readAt?: string
  /** Why they could not be read anew. */
  readonly failure?: unknown
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

export function OpenCharts({ api, locationId, sessions, moved }: ChartsProps) {
  const { say, find } = useWords()
  const clock = useClock()
  const [span, setSpan] = useState<Span>('day')
  const [sessionId, setSession] = useState('')
  const [shown, setShown] = useState<Shown>({ span })
  const looks = useRef<Looks>(undefined)
  useEffect(() => {
    let isOver = false
    // Figures of another number or time under this choice would be a lie; older ones of the same are not.
    let last: Shown = { span }
    const mine = createLooks(
      async () => {
        const to = Math.ceil(Date.now() / HOUR_MS) * HOUR_MS
        const query = {
          from: new Date(to - SPANS[span] * HOUR_MS).toISOString(),
          to: new Date(to).toISOString(),
          ...(locationId !== undefined && { locationId }),
          ...(sessionId !== '' && { sessionId }),
        }
        last = await got(api.GET('/api/stats', { params: { query } })).then(
          (stats) => ({ stats, span, readAt: new Date().toISOString() }),
          (failure: unknown) => ({ ...last, failure }),
        )
        if (!isOver) setShown(last)
      },
      () => REST_MS,
    )
    looks.current = mine
    void mine.now()
    const timer = setInterval(mine.soon, LOOK_MS)
    return () => {
      isOver = true
      clearInterval(timer)
      mine.end()
    }
  }, [api, locationId, sessionId, span])
  const seen = useRef(moved)
  useEffect(() => {
    // What was there before the first look is no news.
    if (seen.current !== moved) looks.current?.soon()
    seen.current = moved
  }, [moved])
  const { stats, failure, readAt } = shown
  const title = say(shown.span === 'day' ? 'charts.hours' : 'charts.sixHours')
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
          {failureWords(failure, find)} {readAt !== undefined && say('charts.old', { time: clock(readAt) })}{' '}
          <Button kind="quiet" act={() => looks.current?.now()}>
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
          <h3>{title}</h3>
          <Hours stats={stats} hoursEach={HOURS_EACH[shown.span]} title={title} />
          <Funnels {...stats} />
          <h3>{say('charts.timings')}</h3>
          <Timings stats={stats} />
          {sessionId === '' && <TimingsByNumber stats={stats} sessions={sessions} />}
        </>
      )}
    </>
  )
}

type Draw = typeof import('./hours-chart.ts').drawHours

/** @param title what one bar counts. */
function Hours({ stats, hoursEach, title }: { stats: Stats; hoursEach: number; title: string }) {
  const { say, language } = useWords()
  const zone = useContext(ZoneContext)
  const host = useRef<HTMLDivElement>(null)
  const [draw, setDraw] = useState<Draw>()
  const [isMissing, setMissing] = useState(false)
  const bars = useMemo(() => barsOf(stats, hoursEach, zone), [stats, hoursEach, zone])
  useEffect(() => {
    // After a deploy the server does not have the script of this older page any more.
    import('./hours-chart.ts').then(
      ({ drawHours }) => setDraw(() => drawHours),
      () => setMissing(true),
    )
  }, [])
  useEffect(() => {
    if (draw === undefined || host.current === null) return undefined
    const labels = [say('charts.time'), say('today.inbound'), say('today.outbound')] as const
    const chart = draw(host.current, bars, labels, { language, zone })
    return () => chart.remove()
  }, [draw, bars, language, zone])
  const total = stats.inbound.received + stats.outbound.accepted
  return (
    <>
      {isMissing ? (
        <div class="problem" role="alert">
          {say('charts.missing')}{' '}
          <Button kind="quiet" act={async () => location.reload()}>
            {say('charts.reload')}
          </Button>
        </div>
      ) : (
        <div ref={host} class="chart" role="img" aria-label={say('charts.hours.label', { title, total })} />
      )}
      <HoursTable bars={bars} title={title} isSeen={isMissing} />
    </>
  )
}
