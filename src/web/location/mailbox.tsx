/** The messages behind the figures: those that need somebody, those that wait, the latest. */
import type { Message } from '../api/client.ts'
import { useWords } from '../words/spoken.tsx'
import { MessageLine, type MessageLineProps } from './message-line.tsx'
import type { Mail } from './use-location.ts'

export interface MailboxProps extends Omit<MessageLineProps, 'message'> {
  readonly mail: Mail | undefined
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
