/**
 * The one way to the database, whichever it is: call a SQL function of schema `bridge` with one JSON value and get one
 * back. One call is one transaction. Three drivers implement it (pglite.ts, postgres.ts, supabase.ts); they differ in
 * nothing that a caller can see, and the contract suite runs on all of them.
 */
import { type Certainty, StoreError, type StoreErrorCode } from '../core/errors.ts'

/** What the SQL function `announce` says to whoever listens, on every node: a hint, never a promise. */
export interface Announcement {
  /** `work`: a job was enqueued. `session`: a session changed. `leases`: some may be free. */
  readonly topic: string
  /** The location for `work`; location and session for `session`. */
  readonly subject: string
}

export const parseAnnouncement = (text: string): Announcement => {
  const [topic = '', ...rest] = text.split(' ')
  return { topic, subject: rest.join(' ') }
}

export interface Database {
  /**
   * Commits when it resolves.
   *
   * @throws {StoreError} `STORE_UNAVAILABLE` (certainty `unknown` when the commit may have happened),
   * `STORE_LEASE_LOST`, `STORE_REJECTED`.
   */
  call(fn: string, args: object): Promise<unknown>
  /** Calls back with what any node announces, as far as this driver can hear it. */
  listen(listener: (announcement: Announcement) => void): Promise<void>
  close(): Promise<void>
}

// Classes of SQLSTATE that say "not now": connection, resources, operator intervention, system; 25006 is a standby.
const PASSING = /^(08|53|57|58)|^(40001|40P01|25006|55P03)$/
/** The connection or the server went away while it worked: the commit may have been its last deed. */
const OUTCOME_UNKNOWN = /^(08|57P01|57P02)/
/** Rolled back for the sake of another transaction: the same call goes through a moment later. */
const ROLLED_BACK = new Set(['40001', '40P01'])
const ROLLBACK_ATTEMPTS = 5

export interface Failure {
  /** What the server answered; undefined when it did not answer. */
  readonly sqlState: string | undefined
  /** The server's message. May quote values, so it is kept only where it cannot. */
  readonly reason: string
  /** Known better by the driver, for instance when it could not even connect. */
  readonly certainty?: Certainty
}

/** A driver's failure in our words. */
export function storeErrorOf(fn: string, { sqlState, reason, certainty }: Failure): StoreError {
  const code = codeOf(sqlState)
  // Class 42 (no such function, no right) and 23 (constraint) name our own objects, nothing else.
  const isNamed = sqlState !== undefined && /^(42|23|0A|BR)/.test(sqlState)
  return new StoreError(code, MESSAGES[code], {
    certainty:
      certainty ?? (sqlState === undefined || OUTCOME_UNKNOWN.test(sqlState) ? 'unknown' : 'not_sent'),
    details: { fn, sqlState: sqlState ?? null, ...(isNamed && { reason: reason.split('\n')[0] ?? '' }) },
  })
}

function codeOf(sqlState: string | undefined): 'STORE_LEASE_LOST' | 'STORE_UNAVAILABLE' | 'STORE_REJECTED' {
  if (sqlState === 'BR001') return 'STORE_LEASE_LOST'
  if (sqlState === undefined || PASSING.test(sqlState)) return 'STORE_UNAVAILABLE'
  return 'STORE_REJECTED'
}

const MESSAGES = {
  STORE_LEASE_LOST: 'Another node has taken over what this call was about',
  STORE_UNAVAILABLE: 'The database does not answer',
  STORE_REJECTED: 'The database refused a call of ours',
} as const satisfies Partial<Record<StoreErrorCode, string>>

/** Runs a call again when the database rolled it back for a reason that passes by itself. */
export async function repeatRolledBack<T>(attempt: () => Promise<T>): Promise<T> {
  for (let attempts = 1; ; attempts++) {
    try {
      return await attempt()
    } catch (thrown) {
      if (attempts === ROLLBACK_ATTEMPTS || !wasRolledBack(thrown)) throw thrown
    }
  }
}

const wasRolledBack = (thrown: unknown): boolean =>
  thrown instanceof StoreError && ROLLED_BACK.has(String(thrown.details['sqlState']))

/** What jsonb refuses: NUL, and halves of surrogate pairs (a name cut in the middle of an emoji). */
const UNFIT = /\\u(?:0000|d[89a-f][0-9a-f]{2})/i

/** JSON text that Postgres takes: NUL characters are dropped, lone surrogates become U+FFFD. */
export function toJson(args: object): string {
  const text = JSON.stringify(args)
  if (!UNFIT.test(text)) return text
  return JSON.stringify(args, (_key, value: unknown) =>
    typeof value === 'string' ? value.toWellFormed().replaceAll('\0', '') : value,
  )
}
