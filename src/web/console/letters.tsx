/** What waits for somebody, over all locations: dead letters and held messages, and what is still on its way. */
import { useState } from 'preact/hooks'
import { got, type Message } from '../api/client.ts'
import { ByHand } from '../location/message-line.tsx'
import { AllThatWait, useSure } from '../parts/all-that-wait.tsx'
import { spacedPhone } from '../parts/countries.ts'
import { problemWords } from '../parts/problem-words.ts'
import { useWords } from '../words/spoken.tsx'
import { useNames } from './names.ts'
import { Choice, Pages, Shown, useCursors } from './parts.tsx'
import { PlaceFilter } from './place-choice.tsx'
import { linkTo } from './routes.ts'
import { Time, useNamedClock, ZoneNote } from './times.tsx'
import { useConsole, useLoaded } from './use-console.ts'

const STATES = ['failed', 'held', 'queued', 'sending'] as const
type State = (typeof STATES)[number]
const DEEDS = ['retry', 'discard'] as const

/** They are counted over all locations. */
const COUNTED_EVERY_MS = 10_000

export function Letters({ locationId }: { locationId?: string }) {
  const { say, count } = useWords()
  const { api } = useConsole()
  const cursors = useCursors()
  const { cursor } = cursors
  const [state, setState] = useState<State>('failed')
  const needsSomebody = state === 'failed' || state === 'held'
  const page = useLoaded(
    () => {
      const query = {
        state,
        waitsFor: needsSomebody ? ('person' as const) : ('delivery' as const),
        ...(locationId !== undefined && { locationId }),
        ...(cursor !== undefined && { cursor }),
      }
      return got(api.GET('/api/messages', { params: { query } }))
    },
    [api, state, locationId, cursor],
    ['messages'],
  )
  const { want, dialog } = useSure(api, async () => {
    cursors.reset()
    await page.reload()
  })
  const counts = useLoaded(() => got(api.GET('/api/console/counts')), [api], ['messages'], COUNTED_EVERY_MS)
  const names = useNames(
    api,
    (page.data?.messages ?? []).map((message) => message.locationId),
  )
  const choose = (next: State) => {
    setState(next)
    cursors.reset()
  }
  const counted = locationId === undefined ? counts.data?.letters : undefined
  return (
    <section aria-labelledby="letters" class="stack">
      <div class="section-head">
        <h2 id="letters">{say('console.place.messages')}</h2>
        <PlaceFilter place="messages" locationId={locationId} />
      </div>
      <Choice
        label={say('console.state')}
        value={state}
        choose={choose}
        options={STATES.map((each) => [each, say(`letters.${each}`), counted?.[each]] as const)}
      />
      <ZoneNote />
      <Shown
        of={page}
        isEmpty={({ messages }) => messages.length === 0 && cursor === undefined}
        empty={<p>{say(needsSomebody ? 'letters.none' : 'letters.noneWaiting')}</p>}
      >
        {({ messages, nextCursor, total }) => (
          <>
            {needsSomebody && total !== null && (
              <AllThatWait
                api={api}
                offers={DEEDS.map((deed) => ({
                  ...{ deed, state, total },
                  ...(locationId !== undefined && { locationId }),
                }))}
                want={want}
              />
            )}
            <ul class="rows">
              {messages.map((message) => (
                <li key={message.id} data-message={message.ghlMessageId ?? message.waMessageId ?? message.id}>
                  <Letter message={message} name={names.get(message.locationId)} look={page.reload} />
                </li>
              ))}
            </ul>
            <Pages
              cursors={cursors}
              next={nextCursor}
              {...(total !== null && { total: count('letters.total', total) })}
            />
          </>
        )}
      </Shown>
      {dialog}
    </section>
  )
}

function Letter({
  message,
  name,
  look,
}: {
  message: Message
  name: string | undefined
  look(): Promise<void>
}) {
  const { say, find } = useWords()
  const clock = useNamedClock()
  const { api } = useConsole()
  const isIn = message.direction === 'inbound'
  const error = message.error === null ? undefined : problemWords(message.error, find)
  const needsSomebody = message.state === 'failed' || message.state === 'held'
  return (
    <>
      <div class="row-head">
        <a href={linkTo('locations', message.locationId)}>{name ?? message.locationId}</a>
        <span>
          <span class="muted" aria-hidden="true">
            {isIn ? '↓' : '↑'}{' '}
          </span>
          <span class="muted">{say(isIn ? 'mail.from' : 'mail.to')}</span> {chatName(message, say)}
        </span>
        <span class={`state ${needsSomebody ? 'bad' : 'busy'}`}>
          {say(isIn ? `in.${message.state}` : `out.${message.state}`)}
        </span>
        <Time at={message.createdAt} />
      </div>
      {message.preview !== null && <p class="preview">{message.preview}</p>}
      {error !== undefined && (
        <p class="muted">
          {error.message} {error.action}
        </p>
      )}
      {message.nextAttemptAt !== null && !needsSomebody && (
        <p class="muted small">{say('mail.next', { time: clock(message.nextAttemptAt) })}</p>
      )}
      {needsSomebody && <ByHand message={message} api={api} look={look} />}
    </>
  )
}

/** Never a LID's digits: they are no phone number. */
function chatName({ chat, contact }: Message, say: ReturnType<typeof useWords>['say']): string {
  const phone = contact?.phoneNumber == null ? undefined : spacedPhone(contact.phoneNumber)
  if (contact?.name != null) return phone === undefined ? contact.name : `${contact.name}, ${phone}`
  if (phone !== undefined) return phone
  if (chat?.endsWith('@s.whatsapp.net')) return spacedPhone(`+${chat.slice(0, chat.indexOf('@'))}`)
  return say(chat?.endsWith('@g.us') ? 'chat.group' : 'chat.contact')
}
