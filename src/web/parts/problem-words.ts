/** Problems and failures in the reader's language: by their stable code, else as the server put them. */
import { Failure } from '../api/failure.ts'
import type { Words } from '../words/words.ts'
import { spacedPhone } from './countries.ts'

export interface Problem {
  readonly code: string
  readonly message: string
  readonly action: string | null
}

export function problemWords(problem: Problem, find: Words['find']): { message: string; action: string } {
  const values = { reason: problem.message }
  return {
    message: find(`problem.${problem.code}`, values) ?? sentence(problem.message),
    action: find(`problem.${problem.code}.do`, values) ?? problem.action ?? '',
  }
}

/** The server's messages have no full stop, as logs like them. */
const sentence = (text: string): string => (/[.!?…]$/.test(text) ? text : `${text}.`)

/** The problem of a number, which may end by itself, and may name the phone that was scanned and what that is here. */
export interface SessionProblem extends Problem {
  readonly until: string | null
  readonly scannedPhone: string | null
  readonly connectedAs: string | null
}

/** @param clock a moment as the location reads it. */
export function sessionProblemWords(
  problem: SessionProblem,
  find: Words['find'],
  clock: (iso: string) => string,
): { message: string; action: string } {
  const { message, action } = problemWords(problem, find)
  const named =
    problem.connectedAs === null
      ? undefined
      : find(`problem.${problem.code}.as`, { name: problem.connectedAs })
  // The catalogue knows the code alone, and what cures it when no end is known.
  const wait = problem.until === null ? undefined : find('problem.wait.do')
  const scanned =
    problem.scannedPhone === null
      ? undefined
      : find('problem.scanned', { phone: spacedPhone(problem.scannedPhone) })
  const until = problem.until === null ? undefined : find('problem.until', { time: clock(problem.until) })
  return { message: [named ?? message, scanned, until].filter(Boolean).join(' '), action: wait ?? action }
}

/** A moment that is still to come; null is none. */
export const isAhead = (iso: string | null): boolean => iso !== null && Date.parse(iso) > Date.now()

/**
 * What its owner can do about a number: pair it again, let it connect again, take it away, or nothing: it connects by itself,
 * and may be told to do so at once (`now`).
 */
export type Cure = 'pair' | 'restart' | 'remove' | 'now' | 'wait'

const CURES: Readonly<Record<string, Cure>> = {
  LOGGED_OUT: 'pair',
  QR_EXPIRED: 'pair',
  PAIRING_CODE_REFUSED: 'pair',
  WRONG_NUMBER: 'pair',
  MULTI_DEVICE_OFF: 'pair',
  ACCOUNT_LOCKED: 'pair',
  BANNED: 'restart',
  ALREADY_HERE: 'remove',
  REPLACED: 'restart',
  TEMPORARILY_BANNED: 'restart',
  RECONNECTING: 'now',
  OUTDATED: 'now',
}

/** What has an end that WhatsApp named is over by itself. */
export const cureOf = ({ code, until }: Pick<SessionProblem, 'code' | 'until'>): Cure =>
  until === null ? (CURES[code] ?? 'wait') : 'wait'

/** Well, on its way, needs somebody. */
export function toneOf({
  status,
  problem,
}: {
  status: string
  problem: Pick<SessionProblem, 'code' | 'until'> | null
}): 'good' | 'busy' | 'bad' {
  if (status === 'ready') return 'good'
  const cure = problem === null ? 'wait' : cureOf(problem)
  return cure === 'wait' || cure === 'now' ? 'busy' : 'bad'
}

export function failureWords(thrown: unknown, find: Words['find']): string {
  if (!(thrown instanceof Failure)) return find('failure.network') ?? ''
  // The server's own words for a number that cannot be one (src/http/schemas.ts).
  if (thrown.code === 'REQUEST_INVALID' && thrown.message.includes('must be a number like'))
    return find('phone.wrong') ?? ''
  const own = find(`failure.${thrown.code}`, { reason: thrown.message })
  if (own !== undefined) return own
  const { message, action } = problemWords(
    { code: thrown.code, message: thrown.message, action: thrown.action ?? null },
    find,
  )
  return `${message} ${action}`.trim()
}
