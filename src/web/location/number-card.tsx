/** One number: how it is in words, the one thing that is wrong, and the button that cures it. */
import { useState } from 'preact/hooks'
import { type Api, got, type Session } from '../api/client.ts'
import { Button } from '../parts/button.tsx'
import { spacedPhone } from '../parts/countries.ts'
import { Dialog } from '../parts/dialog.tsx'
import { cureOf, problemWords } from '../parts/problem-words.ts'
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

/** Three tones: well, on its way, needs somebody. */
function toneOf({ status, problem }: Session): 'good' | 'busy' | 'bad' {
  if (status === 'ready') return 'good'
  return problem === null || cureOf(problem.code) === 'wait' ? 'busy' : 'bad'
}

export function NumberCard({ api, session, isAdmin, pair }: NumberCardProps) {
  const { say, find } = useWords()
  const title =
    session.name ?? (session.phoneNumber === null ? say('number.new') : spacedPhone(session.phoneNumber))
  const problem = session.problem === null ? undefined : problemWords(session.problem, find)
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
      </p>
      {problem !== undefined && (
        <p class="problem">
          {problem.message} {problem.action}
        </p>
      )}
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
  const cure = session.problem === null ? 'wait' : cureOf(session.problem.code)
  if (cure === 'wait') return null
  const act = async (): Promise<void> => {
    await restartSession(api, session)
    if (cure === 'pair') pair()
  }
  return <Button act={act}>{say(cure === 'pair' ? 'cure.pairAgain' : 'cure.restart')}</Button>
}

function NumberMenu({ api, session }: { api: Api; session: Session }) {
  const { say } = useWords()
  const [isLeaving, setLeaving] = useState(false)
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
        {session.status !== 'ready' && <PairingLink api={api} session={session} />}
        <Button kind="danger" act={async () => setLeaving(true)}>
          {say('number.logOut')}
        </Button>
      </div>
      {isLeaving && (
        <Dialog title={say('number.logOut')} close={() => setLeaving(false)}>
          <p>{say('number.logOut.sure')}</p>
          <div class="actions">
            <Button
              kind="danger"
              act={() => got(api.DELETE('/ghl/location/{locationId}/session/{id}', { params }))}
            >
              {say('number.logOut.yes')}
            </Button>
          </div>
        </Dialog>
      )}
    </details>
  )
}

function Rename({ name, save }: { name: string; save(name: string): Promise<void> }) {
  const { say } = useWords()
  const [text, setText] = useState(name)
  return (
    <div class="field with-button">
      <label>
        {say('number.name')}
        <input value={text} maxLength={60} onInput={({ currentTarget }) => setText(currentTarget.value)} />
      </label>
      <Button kind="plain" isDisabled={text.trim() === name} act={() => save(text.trim())}>
        {say('save')}
      </Button>
    </div>
  )
}
