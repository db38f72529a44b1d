/** One number: how it is in words, the one thing that is wrong, and the button that cures it. */
import { useEffect, useState } from 'preact/hooks'
import { type Api, got, type Session } from '../api/client.ts'
import { Button } from '../parts/button.tsx'
import { spacedPhone } from '../parts/countries.ts'
import { Dialog } from '../parts/dialog.tsx'
import { cureOf, isAhead, problemWords, sessionProblemWords, toneOf } from '../parts/problem-words.ts'
import { useClock } from '../parts/times.ts'
import { useWords } from '../words/spoken.tsx'
import { HistoryBar } from './history-bar.tsx'
import { PairingLink, restartSession } from './pair-number.tsx'

export interface NumberCardProps {
  readonly api: Api
  readonly session: Session
  readonly isAdmin: boolean
  /** Opens the pairing. */
  pair(): void
}

export function NumberCard({ api, session, isAdmin, pair }: NumberCardProps) {
  const { say, find } = useWords()
  const title =
    session.name ?? (session.phoneNumber === null ? say('number.new') : spacedPhone(session.phoneNumber))
  const clock = useClock()
  const problem = session.problem === null ? undefined : sessionProblemWords(session.problem, find, clock)
  const notice = session.notice === null ? undefined : problemWords(session.notice, find)
  const next = isAhead(session.nextAttemptAt) ? session.nextAttemptAt : null
  return (
    <article class="card number" data-status={session.status} aria-label={title}>
      <header>
        <h3>{title}</h3>
        {session.isDefault && <span class="badge">{say('number.default')}</span>}
      </header>
      {session.name !== null && session.phoneNumber !== null && (
        <p class="muted">{spacedPhone(session.phoneNumber)}</p>
      )}
      <p class={`state ${toneOf(session)}`} role="status">
        {say(`status.${session.status}`)}
        {next !== null && <span class="muted"> · {say('number.next', { time: clock(next) })}</span>}
      </p>
      {problem !== undefined && (
        <p class="problem">
          {problem.message} {problem.action}
        </p>
      )}
      {notice !== undefined && session.notice !== null && (
        <p class="problem">
          {notice.message} {say('problem.until', { time: clock(session.notice.until) })} {notice.action}
        </p>
      )}
      {!isAdmin && toneOf(session) === 'bad' && <p class="muted">{say('admin.only')}</p>}
      <HistoryBar api={api} session={session} />
      {isAdmin && <Cure api={api} session={session} pair={pair} />}
      {isAdmin && <NumberMenu api={api} session={session} />}
    </article>
  )
}

function Cure({ api, session, pair }: Omit<NumberCardProps, 'isAdmin'>) {
  const { say } = useWords()
  if (session.status === 'qr' || session.status === 'pairing') {
    return <Button act={async () => pair()}>{say('cure.continue')}</Button>
  }
  if (session.problem === null) return null
  const cure = cureOf(session.problem)
  if (cure === 'wait') return null
  if (cure === 'remove') return <Leave api={api} session={session} />
  if (cure === 'now')
    return (
      <Button kind="plain" act={() => restartSession(api, session)}>
        {say('cure.now')}
      </Button>
    )
  const act = async (): Promise<void> => {
    await restartSession(api, session)
    if (cure === 'pair') pair()
  }
  return <Button act={act}>{say(cure === 'pair' ? 'cure.pairAgain' : 'cure.restart')}</Button>
}

function NumberMenu({ api, session }: { api: Api; session: Session }) {
  const { say } = useWords()
  const params = { path: { locationId: session.locationId, id: session.id } }
  const edit = async (body: { name?: string | null; isDefault?: true }): Promise<void> => {
    await got(api.PATCH('/ghl/location/{locationId}/session/{id}', { params, body }))
  }
  return (
    <details class="aside">
      <summary>{say('number.more')}</summary>
      <Rename name={session.name ?? ''} save={(name) => edit({ name: name === '' ? null : name })} />
      <div class="actions">
        {!session.isDefault && (
          <Button kind="plain" act={() => edit({ isDefault: true })}>
            {say('number.makeDefault')}
          </Button>
        )}
        <Leave api={api} session={session} />
      </div>
      {session.status !== 'ready' && <PairingLink api={api} session={session} />}
    </details>
  )
}

/** Takes the number away, after a second word. One that was never paired has nothing to be logged out of. */
function Leave({ api, session }: { api: Api; session: Session }) {
  const { say } = useWords()
  const [isLeaving, setLeaving] = useState(false)
  const params = { path: { locationId: session.locationId, id: session.id } }
  const phone = session.phoneNumber === null ? undefined : spacedPhone(session.phoneNumber)
  const name = [session.name, phone].filter(Boolean).join(' ') || say('number.new')
  const deed = phone === undefined ? 'remove' : 'logOut'
  return (
    <>
      <Button kind="danger" act={async () => setLeaving(true)}>
        {say(`number.${deed}`)}
      </Button>
      {isLeaving && (
        <Dialog title={say(`number.${deed}`)} close={() => setLeaving(false)}>
          <p>
            <strong>{name}</strong>
          </p>
          <p>{say(`number.${deed}.sure`)}</p>
          <div class="actions">
            <Button
              kind="danger"
              act={() => got(api.DELETE('/ghl/location/{locationId}/session/{id}', { params }))}
            >
              {say(`number.${deed}.yes`)}
            </Button>
            <Button kind="plain" act={async () => setLeaving(false)}>
              {say('cancel')}
            </Button>
          </div>
        </Dialog>
      )}
    </>
  )
}

function Rename({ name, save }: { name: string; save(name: string): Promise<void> }) {
  const { say } = useWords()
  const [typed, setTyped] = useState<string>()
  // The name may come after the card: the field follows it until somebody types.
  useEffect(() => setTyped(undefined), [name])
  const text = typed ?? name
  return (
    <div class="field with-button">
      <label>
        {say('number.name')}
        <input value={text} maxLength={60} onInput={({ currentTarget }) => setTyped(currentTarget.value)} />
      </label>
      <Button kind="plain" isDisabled={text.trim() === name} act={() => save(text.trim())}>
        {say('save')}
      </Button>
    </div>
  )
}
