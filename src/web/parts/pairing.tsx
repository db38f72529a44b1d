/** Pairing one number, from the first code to “connected”, or to the one thing that is in the way. */
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { Sentence, useWords } from '../words/spoken.tsx'
import type { Words } from '../words/words.ts'
import { Button } from './button.tsx'
import { Countdown, useSecondsLeft } from './countdown.tsx'
import { spacedPhone } from './countries.ts'
import { useOnPhone } from './on-phone.ts'
import { PhoneField } from './phone-field.tsx'
import { cureOf, type SessionProblem, sessionProblemWords } from './problem-words.ts'
import { Qr } from './qr.tsx'
import { useClock } from './times.ts'

/** What of a session a pairing needs. */
export interface PairingState {
  readonly status: string
  readonly phoneNumber: string | null
  readonly expectedPhone: string | null
  readonly qr: string | null
  readonly pairingCode: string | null
  readonly expiresInMs: number | null
  readonly nextAttemptAt: string | null
  readonly problem: SessionProblem | null
}

export interface PairingProps {
  readonly state: PairingState
  /** Begins anew: by QR, or by a code to type for this number (E.164). */
  restart(phoneNumber?: string): Promise<void>
  readonly heading?: 'h1' | 'h3'
  /** Shown below “connected”. */
  readonly whenReady?: ComponentChildren
}

export function Pairing({ state, restart, whenReady, heading: Heading = 'h1' }: PairingProps) {
  const { say } = useWords()
  const isOnPhone = useOnPhone()
  // The server does not keep for whom a code is; this page asked for it.
  const [codeFor, setCodeFor] = useState<string>()
  const begin = async (phoneNumber?: string): Promise<void> => {
    setCodeFor(phoneNumber)
    await restart(phoneNumber)
  }
  return (
    <section class="pairing" data-status={state.status}>
      <div role="status">
        <Heading>{headline(state, isOnPhone, say)}</Heading>
      </div>
      {state.expectedPhone !== null && state.status !== 'ready' && (
        <p>
          <Sentence text={say('pair.expected', { phone: spacedPhone(state.expectedPhone) })} />
        </p>
      )}
      <Step state={state} restart={begin} codeFor={codeFor} whenReady={whenReady} />
    </section>
  )
}

function headline({ status, problem }: PairingState, isOnPhone: boolean, say: Words['say']): string {
  if (problem !== null) return say('pair.title.problem')
  if (status === 'qr') return say(isOnPhone ? 'pair.title.here' : 'pair.title.qr')
  if (status === 'pairing') return say('pair.title.code')
  if (status === 'ready') return say('pair.title.ready')
  return status === 'connecting' ? say('pair.title.connecting') : say('pair.title.wait')
}

interface StepProps extends PairingProps {
  /** E.164; undefined when it was asked for elsewhere. */
  readonly codeFor: string | undefined
}

/** The only number that will be let in; undefined: any. */
const fixedPhone = ({ expectedPhone, phoneNumber }: PairingState): string | undefined =>
  expectedPhone ?? phoneNumber ?? undefined

function Step({ state, restart, codeFor, whenReady }: StepProps) {
  const { say } = useWords()
  if (state.problem !== null) return <Trouble state={state} restart={restart} />
  if (state.status === 'qr' && state.qr !== null)
    return <ByQr state={state} qr={state.qr} restart={restart} />
  if (state.status === 'pairing' && state.pairingCode !== null) {
    return (
      <ByCode
        state={state}
        code={state.pairingCode}
        restart={restart}
        codeFor={codeFor ?? fixedPhone(state)}
      />
    )
  }
  if (state.status === 'ready') {
    return (
      <>
        <p>
          <Sentence text={say('pair.ready', { phone: spacedPhone(state.phoneNumber ?? '') })} />
        </p>
        {whenReady}
      </>
    )
  }
  return <p class="waiting">{say('pair.wait')}</p>
}

/** The phone that has WhatsApp cannot scan its own screen: on a phone the code stands first, elsewhere the QR. */
function ByQr({ state, qr, restart }: PairingProps & { qr: string }) {
  const { say } = useWords()
  const isOnPhone = useOnPhone()
  const scan = (
    <>
      <Qr text={qr} />
      {state.expiresInMs !== null && <Countdown state={state} text={qr} over={say('pair.title.wait')} />}
      <Steps last={say('pair.step.scan')} />
    </>
  )
  const code = <AskCode get={restart} fixed={fixedPhone(state)} />
  if (isOnPhone) {
    return (
      <>
        <p>{say('pair.here.why')}</p>
        {code}
        <details class="aside">
          <summary>{say('pair.otherPhone')}</summary>
          {scan}
        </details>
        <Hints />
      </>
    )
  }
  return (
    <>
      {scan}
      <details class="aside">
        <summary>{say('pair.codeInstead')}</summary>
        <p>{say('pair.codeInstead.why')}</p>
        {code}
      </details>
      <Hints />
    </>
  )
}

function ByCode({ state, code, restart, codeFor }: StepProps & { code: string }) {
  const { say } = useWords()
  const isOver = useSecondsLeft(state) === 0 && state.expiresInMs !== null
  return (
    <>
      {codeFor !== undefined && codeFor !== state.expectedPhone && (
        <p>
          <Sentence text={say('pair.code.for', { phone: spacedPhone(codeFor) })} />
        </p>
      )}
      <output class="code" aria-label={say('pair.code.label')}>
        {code.replace(/^(.{4})/, '$1-')}
      </output>
      {state.expiresInMs !== null && <Countdown state={state} text={code} over={say('pair.code.over')} />}
      {isOver && codeFor !== undefined && <Button act={() => restart(codeFor)}>{say('cure.pair')}</Button>}
      <Steps last={say('pair.step.type')} />
      <Button kind="quiet" act={() => restart()}>
        {say('pair.qrInstead')}
      </Button>
      <Hints />
    </>
  )
}

function Steps({ last }: { last: string }) {
  const { say } = useWords()
  return (
    <ol class="steps">
      <li>{say('pair.step.open')}</li>
      <li>
        <Sentence text={say('pair.step.menu')} />
      </li>
      <li>
        <Sentence text={last} />
      </li>
    </ol>
  )
}

/** @param fixed the only number that a code can be for; undefined: the reader says which. */
export function AskCode({
  get,
  fixed,
}: {
  /** @param phoneNumber E.164 */
  get(phoneNumber: string): Promise<void>
  fixed: string | undefined
}) {
  const { say } = useWords()
  const [phone, setPhone] = useState<string | undefined>('')
  const [isWrong, setWrong] = useState(false)
  const ask = async (): Promise<void> => {
    setWrong(!phone)
    if (phone) await get(phone)
  }
  if (fixed !== undefined) {
    return (
      <Button act={() => get(fixed)}>{say('pair.codeInstead.getFor', { phone: spacedPhone(fixed) })}</Button>
    )
  }
  return (
    <>
      <PhoneField
        label={say('pair.codeInstead.phone')}
        isWrong={isWrong}
        onPhone={(next) => {
          setPhone(next)
          setWrong(false)
        }}
      />
      <Button act={ask}>{say('pair.codeInstead.get')}</Button>
    </>
  )
}

const HINTS = ['devices', 'passkey', 'clock', 'failed'] as const

/** What only the phone shows: we never hear of it. */
function Hints() {
  const { say } = useWords()
  return (
    <details class="aside">
      <summary>{say('pair.hints')}</summary>
      <dl>
        {HINTS.map((hint) => (
          <div key={hint}>
            <dt>{say(`pair.hint.${hint}`)}</dt>
            <dd>{say(`pair.hint.${hint}.do`)}</dd>
          </div>
        ))}
      </dl>
    </details>
  )
}

function Trouble({ state, restart }: PairingProps) {
  const { say, find } = useWords()
  const clock = useClock()
  if (state.problem === null) return null
  const { message, action } = sessionProblemWords(state.problem, find, clock)
  const cure = cureOf(state.problem)
  return (
    <>
      <p class="problem">{message}</p>
      <p>{action}</p>
      {(cure === 'pair' || cure === 'restart') && (
        <Button act={() => restart()}>{say(cure === 'pair' ? 'cure.pair' : 'cure.restart')}</Button>
      )}
    </>
  )
}
