/** The messages behind the figures: those that need somebody, those that wait, the latest. */
import type { ComponentChildren } from 'preact'
import { AllThatWait, useSure } from '../parts/all-that-wait.tsx'
import { Button } from '../parts/button.tsx'
import { useWords } from '../words/spoken.tsx'
import type { List, Mail, Shown } from './mail.ts'
import { MessageLine, type MessageLineProps } from './message-line.tsx'

export interface MailboxProps extends Omit<MessageLineProps, 'message'> {
  readonly locationId: string
  readonly mail: Mail | undefined
}

/** What waits for somebody, and what can be done for all of it. */
export function Needed({ mail, locationId, ...shared }: MailboxProps) {
  const { say } = useWords()
  const { api, isAdmin, look } = shared
  const { want, dialog } = useSure(api, look)
  return (
    <>
      {mail !== undefined && mail.needed.messages.length > 0 && (
        <Section id="needed" list={mail.needed} {...shared}>
          {isAdmin ? (
            <AllThatWait
              api={api}
              offers={[
                { deed: 'retry', state: 'held', locationId, total: mail.held },
                { deed: 'discard', locationId, total: mail.today.open.needed },
              ]}
              want={want}
            />
          ) : (
            <p class="muted">{say('admin.only')}</p>
          )}
        </Section>
      )}
      {dialog}
    </>
  )
}

/** The rest: what is on its way, and what was last. */
export function Mailbox({ mail, locationId: _, ...shared }: MailboxProps) {
  const { say } = useWords()
  if (mail === undefined) return null
  const { needed, waiting, latest } = mail
  return (
    <>
      {waiting.messages.length > 0 && <Section id="waiting" list={waiting} {...shared} />}
      {latest.messages.length === 0 && needed.messages.length + waiting.messages.length === 0 ? (
        <section aria-labelledby="latest" class="card">
          <h2 id="latest">{say('mail.latest')}</h2>
          <p class="muted">{say('mail.none')}</p>
        </section>
      ) : (
        latest.messages.length > 0 && <Section id="latest" list={latest} {...shared} />
      )}
    </>
  )
}

interface SectionProps extends Omit<MessageLineProps, 'message'> {
  readonly id: keyof Shown
  readonly list: List
  readonly children?: ComponentChildren
}

function Section({ id, list, children, ...shared }: SectionProps) {
  const { say } = useWords()
  return (
    <section aria-labelledby={id} class="card">
      <h2 id={id}>
        {say(`mail.${id}`)} {list.total !== undefined && <span class="badge">{list.total}</span>}
      </h2>
      {children}
      <ul class="messages">
        {list.messages.map((message) => (
          <li key={message.id} data-message={message.ghlMessageId ?? message.waMessageId ?? message.id}>
            <MessageLine message={message} {...shared} />
          </li>
        ))}
      </ul>
      {list.more !== undefined && (
        <Button kind="plain" act={list.more}>
          {say('more')}
        </Button>
      )}
    </section>
  )
}
