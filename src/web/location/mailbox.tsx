/** The messages behind the figures: those that need somebody, those that wait, the latest. */
import { type Api, got, type Message, type Session } from '../api/client.ts'
import { Button } from '../parts/button.tsx'
import { spacedPhone } from '../parts/countries.ts'
import { problemWords } from '../parts/problem-words.ts'
import { clockOf } from '../parts/times.ts'
import { useWords } from '../words/spoken.tsx'
import type { Mail } from './use-location.ts'

export interface MailboxProps {
  readonly api: Api
  readonly isAdmin: boolean
  readonly sessions: readonly Session[]
  readonly mail: Mail | undefined
  look(): Promise<void>
}

export function Mailbox({ mail, ...shared }: MailboxProps) {
  const { say } = useWords()
  if (mail === undefined) return null
  return (
    <>
      {mail.needed.length > 0 && (
        <section aria-labelledby="needed" class="card">
          <h2 id="needed">{say('mail.needed')}</h2>
          <List messages={mail.needed} {...shared} />
        </section>
      )}
      {mail.waiting.length > 0 && (
        <section aria-labelledby="waiting" class="card">
          <h2 id="waiting">{say('mail.waiting')}</h2>
          <List messages={mail.waiting} {...shared} />
        </section>
      )}
      <section aria-labelledby="latest" class="card">
        <h2 id="latest">{say('mail.latest')}</h2>
        {mail.latest.length === 0 ? (
          <p class="muted">{say('mail.none')}</p>
        ) : (
          <List messages={mail.latest} {...shared} />
        )}
      </section>
    </>
  )
}

function List({ messages, ...shared }: Omit<MailboxProps, 'mail'> & { messages: readonly Message[] }) {
  return (
    <ul class="messages">
      {messages.map((message) => (
        <li key={message.id} data-message={message.ghlMessageId ?? message.waMessageId ?? message.id}>
          <MessageLine message={message} {...shared} />
        </li>
      ))}
    </ul>
  )
}

function MessageLine({
  message,
  api,
  isAdmin,
  sessions,
  look,
}: Omit<MailboxProps, 'mail'> & { message: Message }) {
  const { say, find, language } = useWords()
  const isIn = message.direction === 'inbound'
  const session = sessions.length > 1 ? sessions.find(({ id }) => id === message.sessionId) : undefined
  const error = message.error === null ? undefined : problemWords(message.error, find)
  return (
    <>
      <span class="way" aria-hidden="true">
        {isIn ? '↓' : '↑'}
      </span>
      <div class="line">
        <p>
          <strong>{chatName(message, say)}</strong>{' '}
          <span class="muted">{say(isIn ? 'mail.in' : 'mail.out')}</span>
          {session !== undefined && <span class="muted"> · {session.name ?? session.phoneNumber}</span>}
        </p>
        <p class={`state ${toneOf(message)}`}>
          {say(isIn ? `in.${message.state}` : `out.${message.state}`)}
          {message.nextAttemptAt !== null && isWaiting(message) && (
            <span class="muted">
              {' '}
              · {say('mail.next', { time: clockOf(message.nextAttemptAt, language) })}
            </span>
          )}
        </p>
        {error !== undefined && message.state !== 'delivered' && message.state !== 'read' && (
          <p class="muted">
            {error.message} {error.action}
          </p>
        )}
        {isAdmin && (message.state === 'failed' || message.state === 'held') && (
          <ByHand message={message} api={api} look={look} />
        )}
      </div>
      <time class="muted" dateTime={message.createdAt}>
        {clockOf(message.createdAt, language)}
      </time>
    </>
  )
}

function ByHand({ message, api, look }: Pick<MailboxProps, 'api' | 'look'> & { message: Message }) {
  const { say } = useWords()
  const params = { path: { id: message.id } }
  const isHeld = message.state === 'held'
  return (
    <div class="actions">
      <Button
        kind={isHeld ? 'main' : 'plain'}
        act={async () => {
          await got(api.POST('/api/messages/{id}/retry', { params }))
          await look()
        }}
      >
        {say(isHeld ? 'mail.sendNow' : 'mail.tryAgain')}
      </Button>
      <Button
        kind="quiet"
        act={async () => {
          await got(api.POST('/api/messages/{id}/discard', { params }))
          await look()
        }}
      >
        {say('mail.discard')}
      </Button>
    </div>
  )
}

const isWaiting = ({ state }: Pick<Message, 'state'>): boolean => state === 'queued' || state === 'sending'

function toneOf({ state }: Message): 'good' | 'busy' | 'bad' {
  if (state === 'failed' || state === 'held') return 'bad'
  return isWaiting({ state }) || state === 'received' ? 'busy' : 'good'
}

/** Never a LID's digits: they are no phone number. */
function chatName({ chat }: Message, say: ReturnType<typeof useWords>['say']): string {
  if (chat?.endsWith('@s.whatsapp.net')) return spacedPhone(`+${chat.slice(0, chat.indexOf('@'))}`)
  if (chat?.endsWith('@g.us')) return say('chat.group')
  return say('chat.contact')
}
