/** What GHL told us, and what became of it. */
import { useState } from 'preact/hooks'
import { got } from '../api/client.ts'
import { problemWords } from '../parts/problem-words.ts'
import { useWords } from '../words/spoken.tsx'
import { useNames } from './names.ts'
import { Choice, Pages, Shown, type Tone, useCursors } from './parts.tsx'
import { PlaceFilter } from './place-choice.tsx'
import { linkTo } from './routes.ts'
import type { AppEvent } from './shapes.ts'
import { Time, ZoneNote } from './times.tsx'
import { useConsole, useLoaded } from './use-console.ts'

const STATES = ['received', 'processed', 'ignored', 'failed'] as const
type State = AppEvent['state']
const TONES: Readonly<Record<State, Tone>> = {
  received: 'busy',
  processed: 'good',
  ignored: 'busy',
  failed: 'bad',
}

export function Events({ locationId }: { locationId?: string }) {
  const { say } = useWords()
  const { api } = useConsole()
  const cursors = useCursors()
  const [state, setState] = useState<State | 'any'>('any')
  const page = useLoaded(
    () => {
      const before = cursors.cursor
      const query = {
        ...(state !== 'any' && { state }),
        ...(before !== undefined && { before }),
        ...(locationId !== undefined && { locationId }),
      }
      return got(api.GET('/api/ghl/events', { params: { query } }))
    },
    [api, state, locationId, cursors.cursor],
    ['all'],
  )
  const names = useNames(
    api,
    (page.data?.events ?? []).flatMap((event) => event.locationId ?? []),
  )
  return (
    <section aria-labelledby="events" class="stack">
      <div class="section-head">
        <h2 id="events">{say('console.place.events')}</h2>
        <PlaceFilter place="events" locationId={locationId} />
      </div>
      <Choice
        label={say('console.state')}
        value={state}
        choose={(next) => {
          setState(next)
          cursors.reset()
        }}
        options={[['any', say('wall.any')], ...STATES.map((each) => [each, say(`event.${each}`)] as const)]}
      />
      <ZoneNote />
      <Shown of={page} isEmpty={({ events }) => events.length === 0} empty={<p>{say('events.none')}</p>}>
        {({ events, nextBefore }) => (
          <>
            <ul class="rows">
              {events.map((event) => (
                <li key={event.webhookId}>
                  <Line event={event} name={names.get(event.locationId ?? '')} />
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

function Line({ event, name }: { event: AppEvent; name: string | undefined }) {
  const { say, find } = useWords()
  return (
    <>
      <div class="row-head">
        <strong>{event.type}</strong>
        {event.locationId !== null && (
          <a href={linkTo('locations', event.locationId)}>{name ?? event.locationId}</a>
        )}
        <span class={`state ${TONES[event.state]}`}>{say(`event.${event.state}`)}</span>
        <Time at={event.receivedAt} />
      </div>
      {event.reason !== null && <p class="muted small">{reasonWords(event.reason, find)}</p>}
    </>
  )
}
