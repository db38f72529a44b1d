/** What waits for somebody, over all locations: dead letters and held messages, and what is still on its way. */
import { useEffect, useState } from 'preact/hooks'
import { type Api, got, type Message } from '../api/client.ts'
import { Button } from '../parts/button.tsx'
import { spacedPhone } from '../parts/countries.ts'
import { problemWords } from '../parts/problem-words.ts'
import { clockOf } from '../parts/times.ts'
import { useWords } from '../words/spoken.tsx'
import { useOneByOne } from './one-by-one.ts'
import { Choice, Pages, Shown, useCursors } from './parts.tsx'
import { linkTo } from './routes.ts'
import { useConsole, useLoaded } from './use-console.ts'

const STATES = ['failed', 'held', 'queued', 'sending'] as const
type State = (typeof STATES)[number]
type Deed = 'retry' | 'discard'

const command = (api: Api, id: string, deed: Deed) => {
  const params = { path: { id } }
  return got(
    deed === 'retry'
      ? api.POST('/api/messages/{id}/retry', { params })
      : api.POST('/api/messages/{id}/discard', { params }),
  )
}

export function Letters() {
  const { say } = useWords()
  const { api } = useConsole()
  const cursors = useCursors()
  const { cursor } = cursors
  const [state, setState] = useState<State>('failed')
  const page = useLoaded(
    () => {
      const query = { state, ...(cursor !== undefined && { cursor }) }
      return got(api.GET('/api/messages', { params: { query } }))
    },
    [api, state, cursor],
    ['messages'],
  )
  const names = useNames(api, page.data?.messages ?? [])
  return (
    <section aria-labelledby="letters">
      <div class="section-head">
        <h2 id="letters">{say('console.place.messages')}</h2>
        <Choice
          label={say('console.state')}
          value={state}
          choose={(next) => {
            setState(next)
            cursors.reset()
          }}
          options={STATES.map((each) => [each, say(`letters.${each}`)] as const)}
        />
      </div>
      <Shown
        of={page}
        isEmpty={({ messages }) => messages.length === 0}
        empty={<p>{say(state === 'failed' || state === 'held' ? 'letters.none' : 'letters.noneWaiting')}</p>}
      >
        {({ messages, nextCursor }) => (
          <>
            {(state === 'failed' || state === 'held') && messages.length > 1 && (
              <AllShown key={state} messages={messages} look={page.reload} />
            )}
            <ul class="rows">
              {messages.map((message) => (
                <li key={message.id} data-message={message.ghlMessageId ?? message.waMessageId ?? message.id}>
                  <Letter message={message} name={names.get(message.locationId)} look={page.reload} />
                </li>
              ))}
            </ul>
            <Pages cursors={cursors} next={nextCursor} />
          </>
        )}
      </Shown>
    </section>
  )
}

/** People know locations by name. Each is asked for once. */
function useNames(api: Api, messages: readonly Message[]): ReadonlyMap<string, string> {
  const [names, setNames] = useState<ReadonlyMap<string, string>>(new Map())
  const unknown = [...new Set(messages.map(({ locationId }) => locationId))].filter((id) => !names.has(id))
  useEffect(() => {
    if (unknown.length === 0) return
    const ask = async (locationId: string): Promise<[string, string]> => {
      const { locations } = await got(api.GET('/api/ghl/locations', { params: { query: { locationId } } }))
      return [locationId, locations[0]?.name ?? locationId]
    }
    Promise.all(unknown.map(ask)).then(
      (found) => setNames((before) => new Map([...before, ...found])),
      // Its id says which it is, too.
      () => undefined,
    )
  }, [unknown.join(' ')])
  return names
}

function AllShown({ messages, look }: { messages: readonly Message[]; look(): Promise<void> }) {
  const { say, count } = useWords()
  const { api } = useConsole()
  const { outcomes, run } = useOneByOne(({ id }: Message) => command(api, id, 'retry'))
  const failed = outcomes.filter(({ failure }) => failure !== undefined).length
  return (
    <div class="actions">
      <Button
        kind="plain"
        act={async () => {
          await run(messages)
          await look()
        }}
      >
        {say('letters.retryAll')}
      </Button>
      {outcomes.length > 0 && <span role="status">{count('letters.retried', outcomes.length - failed)}</span>}
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
