/**
 * What is known of the pieces of the set-up that only GHL can prove right. A setting that is there may still be wrong: it
 * works when GHL was seen to accept it, and when GHL was seen to refuse it, it does not.
 */
import type { Clock } from '../core/clock.ts'
import { toBridgeError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'

/**
 * `credentials`: the app's id and secret, at a token exchange. `provider`: the id of the conversation provider, as GHL takes
 * a message for it. `events`, `delivery`: posts to each of our two URLs. `sso`: the word of GHL's pages.
 */
export const PIECES = ['credentials', 'provider', 'events', 'delivery', 'sso'] as const
export type Piece = (typeof PIECES)[number]

/** `refused`: GHL took it not. `signature`: signed, but not for our key. `foreign_provider`: meant for another provider. */
export type Refused = 'refused' | 'signature' | 'foreign_provider'

export interface Seen {
  readonly piece: Piece
  /** What it was seen with: a keyed hash of the piece's settings. */
  readonly setting: string
  readonly goodAt: Date | undefined
  readonly badAt: Date | undefined
  /** Of `badAt`. */
  readonly reason: Refused | undefined
}

export interface EvidenceStore {
  /** Now. Without a reason it went well. What was seen with another setting is forgotten. */
  note(piece: Piece, setting: string, reason: Refused | undefined): Promise<void>
  list(): Promise<readonly Seen[]>
}

export interface Verdict {
  readonly state: 'ok' | 'bad' | 'wait'
  /** Of what decided it; null while nothing was seen. */
  readonly at: Date | null
  readonly reason: Refused | null
}

export interface Evidence {
  /** Never fails and is not waited for: what is seen must not disturb what is done. */
  good(piece: Piece): void
  bad(piece: Piece, reason: Refused): void
  /** By the newest that was seen with the settings of this process. */
  verdicts(): Promise<Readonly<Record<Piece, Verdict>>>
}

export interface EvidenceDeps {
  readonly store: EvidenceStore
  readonly settings: Readonly<Record<Piece, string>>
  readonly clock: Clock
  readonly log: Log
}

/** The same again is noted once in this time: a busy bridge sees it many times a second. */
const NOTED_EVERY_MS = 60_000
const NOTHING: Verdict = { state: 'wait', at: null, reason: null }

export function createEvidence({ store, settings, clock, log }: EvidenceDeps): Evidence {
  const noted = new Map<Piece, { readonly reason: Refused | undefined; readonly atMs: number }>()
  const note = (piece: Piece, reason: Refused | undefined): void => {
    const last = noted.get(piece)
    const nowMs = clock.nowMs()
    if (last?.reason === reason && last !== undefined && nowMs - last.atMs < NOTED_EVERY_MS) return
    noted.set(piece, { reason, atMs: nowMs })
    store.note(piece, settings[piece], reason).catch((thrown: unknown) => {
      noted.delete(piece)
      log.debug({ errorCode: toBridgeError(thrown).code }, 'could not note what was seen of the set-up')
    })
  }
  return {
    good: (piece) => {
      note(piece, undefined)
    },
    bad: note,
    async verdicts() {
      const seen = (await store.list()).filter(({ piece, setting }) => settings[piece] === setting)
      const judged = PIECES.map((piece) => [piece, verdictOf(seen.find((each) => each.piece === piece))])
      return Object.fromEntries(judged) as Record<Piece, Verdict> // every piece was judged
    },
  }
}

function verdictOf(seen: Seen | undefined): Verdict {
  const { goodAt, badAt, reason } = seen ?? {}
  if (badAt !== undefined && (goodAt === undefined || badAt > goodAt))
    return { state: 'bad', at: badAt, reason: reason ?? 'refused' }
  return goodAt === undefined ? NOTHING : { state: 'ok', at: goodAt, reason: null }
}
