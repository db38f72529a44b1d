/** How a location is, in few words: its tokens and its numbers. */
import type { Session } from '../api/client.ts'
import { spacedPhone } from '../parts/countries.ts'
import { toneOf } from '../parts/problem-words.ts'
import { useWords } from '../words/spoken.tsx'
import type { Tone } from './parts.tsx'
import type { Health } from './shapes.ts'

const TONES: Readonly<Record<Health, Tone>> = {
  healthy: 'good',
  expiring: 'good',
  expired: 'bad',
  pending: 'busy',
  needs_reconnect: 'bad',
  uninstalled: 'busy',
  deactivated: 'busy',
}

export function TokenHealth({ health }: { health: Health }) {
  const { say } = useWords()
  return <span class={`state ${TONES[health]}`}>{say(`token.${health}`)}</span>
}

const nameOf = (session: Session): string | undefined =>
  session.name ?? (session.phoneNumber === null ? undefined : spacedPhone(session.phoneNumber))

export function NumberChips({ sessions }: { sessions: readonly Session[] }) {
  const { say } = useWords()
  if (sessions.length === 0) return <span class="muted numbers-of">{say('numbers.none')}</span>
  return (
    <ul class="numbers-of">
      {sessions.map((session) => (
        <li key={session.id} class={`state ${toneOf(session)}`}>
          {nameOf(session) ?? say('number.new')}
          {session.status !== 'ready' && <span class="muted"> · {say(`status.${session.status}`)}</span>}
        </li>
      ))}
    </ul>
  )
}
