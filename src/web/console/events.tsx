/** What GHL told us, and what became of it. */
import { useState } from 'preact/hooks'
import { got } from '../api/client.ts'
import { problemWords } from '../parts/problem-words.ts'
import { clockOf } from '../parts/times.ts'
import { useWords } from '../words/spoken.tsx'
import { Choice, Pages, Shown, type Tone, useCursors } from './parts.tsx'
import { linkTo } from './routes.ts'
import type { AppEvent } from './shapes.ts'
import { useConsole, useLoaded } from './use-console.ts'

const STATES = ['received', 'processed', 'ignored', 'failed'] as const
type State = AppEvent['state']
const TONES: Readonly<Record<State, Tone>> = {
  received: 'busy',
  processed: 'good',
  ignored: 'busy',
  failed: 'bad',
}

export function Events() {
  const { say } = useWords()
  const { api } = useConsole()
  const cursors = useCursors()
  const [state, setState] = useState<State | 'any'>('any')
  const page = useLoaded(
    () => {
      const before = cursors.cursor
      const query = { ...(state !== 'any' && { state }), ...(before !== undefined && { before }) }
      return got(api.GET('/api/ghl/events', { params: { query } }))
    },
    [api, state, cursors.cursor],
    ['all'],
  )
  return (
    <section aria-labelledby="events">
      <div class="section-head">
        <h2 id="events">{say('console.place.events')}</h2>
        <Choice
          label={say('console.state')}
          value={state}
          choose={(next) => {
            setState(next)
            cursors.reset()
          }}
          options={[['any', say('wall.any')], ...STATES.map((each) => [each, say(`event.${each}`)] as const)]}
        />
      </div>
      <Shown of={page} isEmpty={({ events }) => events.length === 0} empty={<p>{say('events.none')}</p>}>
        {({ events, nextBefore }) => (
          <>
            <ul class="rows">
              {events.map((event) => (
                <li key={event.webhookId}>
                  <Line event={event} />
                </li>
              ))}
            </ul>
            <Pages cursors={cursors} next={nextBefore} />
          </>
        )}
      </Shown>
    </section>
  )
}

/** Why one was ignored is a word of ours; why one failed is an error's code. */
const reasonWords = (reason: string, find: ReturnType<typeof useWords>['find']): string =>
  find(`ignored.${reason}`) ?? problemWords({ code: reason, message: reason, action: null }, find).message

function Line({ event }: { event: AppEvent }) {
  const { say, find, language } = useWords()
  return (
    <>
      <div class="row-head">
        <strong>{event.type}</strong>
        {event.locationId !== null && <a href={linkTo('locations', event.locationId)}>{event.locationId}</a>}
        <span class={`state ${TONES[event.state]}`}>{say(`event.${event.state}`)}</span>
        <time class="muted" dateTime={event.receivedAt}>
          {clockOf(event.receivedAt, language)}
        </time>
      </div>
      {event.reason !== null && <p class="muted small">{reasonWords(event.reason, find)}</p>}
    </>
  )
}
