/** One message: whose it is, how far it has come, what it waits for, and what a person may do about it. */
import { useState } from 'preact/hooks'
import { type Api, got, type Message, type Session } from '../api/client.ts'
import { Button } from '../parts/button.tsx'
import { spacedPhone } from '../parts/countries.ts'
import { problemWords } from '../parts/problem-words.ts'
import { useClock } from '../parts/times.ts'
import { useWords } from '../words/spoken.tsx'

export interface MessageLineProps {
  readonly message: Message
  readonly api: Api
  readonly isAdmin: boolean
  readonly sessions: readonly Session[]
  look(): Promise<void>
}

export function MessageLine({ message, api, isAdmin, sessions, look }: MessageLineProps) {
  const { say, find } = useWords()
  const clock = useClock()
  const isIn = message.direction === 'inbound'
  const isHeld = message.state === 'held'
  const isOpen = message.discardedAt === null && (isHeld || message.state === 'failed')
  const session = sessions.length > 1 ? sessions.find(({ id }) => id === message.sessionId) : undefined
  const error = message.error === null ? undefined : problemWords(message.error, find)
  return (
    <>
      <span class="way" aria-hidden="true">
        {isIn ? '↓' : '↑'}
      </span>
      <div class="line">
        <p>
          <span class="muted">{say(isIn ? 'mail.from' : 'mail.to')}</span> <Who message={message} />
          {session !== undefined && (
            <span class="muted"> · {session.name ?? spacedPhone(session.phoneNumber ?? '')}</span>
          )}
        </p>
        {message.preview !== null && <p class="preview">{message.preview}</p>}
        <p class={`state ${toneOf(message)}`}>
          {message.discardedAt !== null
            ? say('out.ignored')
            : say(isIn ? `in.${message.state}` : `out.${message.state}`)}
          {isHeld && message.writtenAt !== null && (
            <span class="muted"> · {say('mail.written', { time: clock(message.writtenAt) })}</span>
          )}
          <Expected message={message} />
        </p>
        {error !== undefined &&
          message.discardedAt === null &&
          message.state !== 'delivered' &&
          message.state !== 'read' && (
            <p class="muted">
              {error.message} {error.action}
            </p>
          )}
        {isAdmin && isOpen && <ByHand message={message} api={api} look={look} />}
      </div>
      <time class="muted" dateTime={message.createdAt}>
        {clock(message.createdAt)}
      </time>
    </>
  )
}

/** A name before a number, and never a LID's digits: they are no phone number. */
function Who({ message: { contact } }: { message: Message }) {
  const { say } = useWords()
  const phone = contact?.phoneNumber == null ? undefined : spacedPhone(contact.phoneNumber)
  const name = contact?.name ?? phone ?? say(contact?.isGroup === true ? 'chat.group' : 'chat.contact')
  return (
    <>
      <strong>{name}</strong>
      {phone !== undefined && phone !== name && <span class="muted"> {phone}</span>}
    </>
  )
}

/** What these wait for comes when somebody acts: a time would be a guess. */
const UNTIL_SOMEBODY_ACTS = [
  'WA_OFFLINE',
  'WA_NO_SESSION',
  'GHL_NEEDS_RECONNECT',
  'GHL_NOT_INSTALLED',
  'GHL_DEACTIVATED',
]

/** The message's place in its chat's line, when it goes, and what keeps it. */
function Expected({ message: { queue, nextAttemptAt } }: { message: Message }) {
  const { say, count, find } = useWords()
  const clock = useClock()
  if (queue === null) return null
  const { ahead, reason } = queue
  const isOpen = reason !== null && UNTIL_SOMEBODY_ACTS.includes(reason.code)
  const isSoon = nextAttemptAt === null || Date.parse(nextAttemptAt) <= Date.now()
  const why = reason === null ? undefined : problemWords({ ...reason, action: null }, find)
  return (
    <span class="muted">
      {ahead > 0 && ` · ${count('mail.ahead', ahead)}`}
      {!isOpen && ` · ${isSoon ? say('mail.soon') : say('mail.next', { time: clock(nextAttemptAt) })}`}
      {why !== undefined && ` · ${why.message} ${isOpen ? why.action : ''}`}
    </span>
  )
}

/** Sends it again, or, after a question, drops it. */
export function ByHand({ message, api, look }: Pick<MessageLineProps, 'message' | 'api' | 'look'>) {
  const { say } = useWords()
  const [isSure, setSure] = useState(false)
  const params = { path: { id: message.id } }
  const isHeld = message.state === 'held'
  if (isSure)
    return (
      <div class="actions">
        <span>{say('mail.discard.sure')}</span>
        <Button
          kind="danger"
          act={async () => {
            await got(api.POST('/api/messages/{id}/discard', { params }))
            await look()
          }}
        >
          {say('mail.discard.yes')}
        </Button>
        <Button kind="quiet" act={async () => setSure(false)}>
          {say('cancel')}
        </Button>
      </div>
    )
  return (
    <div class="actions">
      <Button
        kind="plain"
        act={async () => {
          await got(api.POST('/api/messages/{id}/retry', { params }))
          await look()
        }}
      >
        {say(isHeld ? 'mail.sendNow' : 'mail.tryAgain')}
      </Button>
      <Button kind="quiet-danger" act={async () => setSure(true)}>
        {say('mail.discard')}
      </Button>
    </div>
  )
}

function toneOf({ state, discardedAt }: Message): 'good' | 'busy' | 'bad' {
  if (discardedAt !== null) return 'busy'
  if (state === 'failed' || state === 'held') return 'bad'
  return state === 'queued' || state === 'sending' || state === 'received' ? 'busy' : 'good'
}
