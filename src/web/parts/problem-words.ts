/** Problems and failures in the reader's language: by their stable code, else as the server put them. */
import { Failure } from '../api/failure.ts'
import type { Words } from '../words/words.ts'

export interface Problem {
  readonly code: string
  readonly message: string
  readonly action: string | null
}

export function problemWords(problem: Problem, find: Words['find']): { message: string; action: string } {
  return {
    message: find(`problem.${problem.code}`) ?? problem.message,
    action: find(`problem.${problem.code}.do`) ?? problem.action ?? '',
  }
}

/** What its owner can do about a number: pair it again, let it connect again, or nothing. */
export type Cure = 'pair' | 'restart' | 'wait'

const CURES: Readonly<Record<string, Cure>> = {
  LOGGED_OUT: 'pair',
  QR_EXPIRED: 'pair',
  PAIRING_CODE_REFUSED: 'pair',
  WRONG_NUMBER: 'pair',
  MULTI_DEVICE_OFF: 'pair',
  ACCOUNT_LOCKED: 'pair',
  BANNED: 'pair',
  REPLACED: 'restart',
  TEMPORARILY_BANNED: 'restart',
}

export const cureOf = (code: string): Cure => CURES[code] ?? 'wait'

export function failureWords(thrown: unknown, find: Words['find']): string {
  if (!(thrown instanceof Failure)) return find('failure.network') ?? ''
  const message = find(`failure.${thrown.code}`) ?? thrown.message
  return thrown.action === undefined ? message : `${message} ${thrown.action}`
}
