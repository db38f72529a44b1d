/** What waits for somebody, over all locations: dead letters and held messages, and what is still on its way. */
import { useState } from 'preact/hooks'
import { type Api, got, type Message } from '../api/client.ts'
import { Button } from '../parts/button.tsx'
import { spacedPhone } from '../parts/countries.ts'
import { Dialog } from '../parts/dialog.tsx'
import { useOneByOne } from '../parts/one-by-one.ts'
import { problemWords } from '../parts/problem-words.ts'
import { clockOf } from '../parts/times.ts'
import { useWords } from '../words/spoken.tsx'
import { useNames } from './names.ts'
import { Choice, Pages, Shown, useCursors } from './parts.tsx'
import { linkTo } from './routes.ts'
import { useConsole, useLoaded } from './use-console.ts'

const STATES = ['failed', 'held', 'queued', 'sending'] as const
type State = (typeof STATES)[number]
type Deed = 'retry' | 'discard'

/** They are counted over all locations. */
const COUNTED_EVERY_MS = 10_000

const command = (api: Api, id: string, deed: Deed) => {
  const params = { path: { id } }
  return got(
    deed === 'retry'
      ? api.POST('/api/messages/{id}/retry', { params })
      : api.POST('/api/messages/{id}/discard', { params }),
  )
}

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
  const counts = useLoaded(() => got(api.GET('/api/console/counts')), [api], ['messages'], COUNTED_EVERY_MS)
  const names = useNames(api, [
    ...(page.data?.messages ?? []).map((message) => message.locationId),
    ...(locationId === undefined ? [] : [locationId]),
  ])
  const choose = (next: State) => {
    setState(next)
    cursors.reset()
  }
  const counted = locationId === undefined ? counts.data?.letters : undefined
  return (
    <section aria-labelledby="letters">
      <div class="section-head">
        <h2 id="letters">{say('console.place.messages')}</h2>
        <Choice
          label={say('console.state')}
          value={state}
          choose={choose}
          options={STATES.map((each) => [each, say(`letters.${each}`), counted?.[each]] as const)}
        />
      </div>
      {locationId !== undefined && (
        <p>
          <strong>{names.get(locationId) ?? locationId}</strong>{' '}
          <a href={linkTo('messages')}>{say('letters.everywhere')}</a>
        </p>
      )}
      <Shown
        of={page}
        isEmpty={({ messages }) => messages.length === 0}
        empty={<p>{say(needsSomebody ? 'letters.none' : 'letters.noneWaiting')}</p>}
      >
        {({ messages, nextCursor, total }) => (
          <>
            {needsSomebody && messages.length > 1 && (
              <AllShown key={state} state={state} messages={messages} look={page.reload} />
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
    </section>
  )
}

/** What would be done to many is said first, with how many and of how many locations: they may be several customers'. */
function AllShown({
  state,
  messages,
  look,
}: {
  state: State
  messages: readonly Message[]
  look(): Promise<void>
}) {
  const { say, count } = useWords()
  const { api } = useConsole()
  const [wanted, setWanted] = useState<Deed>()
  const { outcomes, run } = useOneByOne(({ id, deed }: { id: string; deed: Deed }) => command(api, id, deed))
  const failed = outcomes.filter(({ failure }) => failure !== undefined).length
  const places = new Set(messages.map(({ locationId }) => locationId)).size
  const again = say(state === 'held' ? 'letters.sendAll' : 'letters.retryAll')
  return (
    <div class="actions">
      <Button kind="plain" act={async () => setWanted('retry')}>
        {again}
      </Button>
      <Button kind="quiet" act={async () => setWanted('discard')}>
        {say('letters.discardAll')}
      </Button>
      {outcomes.length > 0 && (
        <span role="status">
          {count('letters.retried', outcomes.length - failed)}
          {failed > 0 && <span class="failure"> {say('syncs.failed', { count: failed })}</span>}
        </span>
      )}
      {wanted !== undefined && (
        <Dialog
          title={wanted === 'retry' ? again : say('letters.discardAll')}
          close={() => setWanted(undefined)}
        >
          <p>
            {count(wanted === 'retry' ? 'letters.wouldSend' : 'letters.wouldDiscard', messages.length)}{' '}
            {count('letters.places', places)}
          </p>
          <Button
            kind={wanted === 'retry' ? 'main' : 'danger'}
            act={async () => {
              await run(messages.map(({ id }) => ({ id, deed: wanted })))
              setWanted(undefined)
              await look()
            }}
          >
            {say(wanted === 'retry' ? 'letters.sendYes' : 'mail.discard')}
          </Button>
        </Dialog>
      )}
    </div>
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
  const { say, find, language } = useWords()
  const { api } = useConsole()
  const isIn = message.direction === 'inbound'
  const error = message.error === null ? undefined : problemWords(message.error, find)
  const needsSomebody = message.state === 'failed' || message.state === 'held'
  const deed = (what: Deed) => async () => {
    await command(api, message.id, what)
    await look()
  }
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
        <time class="muted" dateTime={message.createdAt}>
          {clockOf(message.createdAt, language)}
        </time>
      </div>
      {error !== undefined && (
        <p class="muted">
          {error.message} {error.action}
        </p>
      )}
      {message.nextAttemptAt !== null && !needsSomebody && (
        <p class="muted small">{say('mail.next', { time: clockOf(message.nextAttemptAt, language) })}</p>
      )}
      {needsSomebody && (
        <div class="actions">
          <Button kind="plain" act={deed('retry')}>
            {say(message.state === 'held' ? 'mail.sendNow' : 'mail.tryAgain')}
          </Button>
          <Button kind="quiet" act={deed('discard')}>
            {say('mail.discard')}
          </Button>
        </div>
      )}
    </>
  )
}

/** Never a LID's digits: they are no phone number. */
function chatName({ chat }: Message, say: ReturnType<typeof useWords>['say']): string {
  if (chat?.endsWith('@s.whatsapp.net')) return spacedPhone(`+${chat.slice(0, chat.indexOf('@'))}`)
  return say(chat?.endsWith('@g.us') ? 'chat.group' : 'chat.contact')
}
