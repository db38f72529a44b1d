/** Problems and failures in the reader's language: by their stable code, else as the server put them. */
import { Failure } from '../api/failure.ts'
import type { Words } from '../words/words.ts'

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

/** What its owner can do about a number: pair it again, let it connect again, or nothing. */
export type Cure = 'pair' | 'restart' | 'wait'

const CURES: Readonly<Record<string, Cure>> = {
  LOGGED_OUT: 'pair',
  QR_EXPIRED: 'pair',
  PAIRING_CODE_REFUSED: 'pair',
  WRONG_NUMBER: 'pair',
  MULTI_DEVICE_OFF: 'pair',
  ACCOUNT_LOCKED: 'pair',
  BANNED: 'restart',
  REPLACED: 'restart',
  TEMPORARILY_BANNED: 'restart',
}

export const cureOf = (code: string): Cure => CURES[code] ?? 'wait'

export function failureWords(thrown: unknown, find: Words['find']): string {
  if (!(thrown instanceof Failure)) return find('failure.network') ?? ''
  const own = find(`failure.${thrown.code}`, { reason: thrown.message })
  if (own !== undefined) return own
  const { message, action } = problemWords(
    { code: thrown.code, message: thrown.message, action: thrown.action ?? null },
    find,
  )
  return `${message} ${action}`.trim()
}
