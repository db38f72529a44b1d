/** Paired numbers, and what is wished of them. Its promises: messages.ts. */
import type { LidJid, LocationId, SessionId } from '../../core/ids.ts'
import type { SessionNotice, SessionProblem, SessionStatus } from '../../core/message.ts'

export interface SessionRow {
  readonly sessionId: SessionId
  readonly locationId: LocationId
  readonly status: SessionStatus
  /** E.164. */
  readonly phoneNumber: string | undefined
  readonly lid: LidJid | undefined
  readonly name: string | undefined
  readonly isDefault: boolean
  readonly problem: SessionProblem | undefined
  readonly notice: SessionNotice | undefined
  /** When it connects again by itself; undefined while that is not planned. */
  readonly nextAttemptAt: Date | undefined
  /** E.164; pairing any other number is undone. */
  readonly expectedPhone: string | undefined
  /** What is to be scanned or typed right now. Sealed at rest. */
  readonly live: Invitation | undefined
  readonly wish: SessionWish | undefined
  readonly lastSeenAt: Date | undefined
  /** When the device was linked last; undefined before the first time. */
  readonly pairedAt: Date | undefined
  readonly createdAt: Date
}

/** How to pair at this moment: the QR's text, or the code to type. */
export interface Invitation {
  readonly qr?: string
  readonly pairingCode?: string
  /** ISO 8601: until when it can be used. */
  readonly expiresAt?: string
}

/** What a session's owner is asked to do. `codeFor` (E.164) asks for a pairing code instead of a QR. */
export type SessionWish =
  | { readonly id: string; readonly kind: 'pair'; readonly codeFor?: string }
  | { readonly id: string; readonly kind: 'restart' | 'log_out' }

/** `name` is WhatsApp's: one that is there already stays. */
export type SessionPatch = Partial<
  Pick<SessionRow, 'status' | 'phoneNumber' | 'lid' | 'name' | 'lastSeenAt' | 'pairedAt'>
> & {
  /** `null` clears it. */
  readonly problem?: SessionProblem | null
  /** `null` clears it. */
  readonly notice?: SessionNotice | null
  /** `null` clears it. */
  readonly nextAttemptAt?: Date | null
  /** `null` clears it. */
  readonly live?: Invitation | null
}

export interface SessionEdit {
  readonly name?: string | null
  readonly isDefault?: true
}

export interface SessionStore {
  /** The first number of a location is its default. */
  create(session: {
    sessionId: SessionId
    locationId: LocationId
    expectedPhone?: string
    wish?: SessionWish
  }): Promise<SessionRow>
  find(sessionId: SessionId): Promise<SessionRow | undefined>
  list(locationId?: LocationId): Promise<readonly SessionRow[]>
  /** The sessions of these locations. */
  listOf(locationIds: readonly LocationId[]): Promise<readonly SessionRow[]>
  update(sessionId: SessionId, patch: SessionPatch): Promise<void>
  /**
   * What people change, on any node: the name (`null` clears it), and which number is the location's default: the others
   * cease to be it. False when the location has no such number.
   */
  edit(locationId: LocationId, sessionId: SessionId, change: SessionEdit): Promise<boolean>
  /** Asks the owner, on whichever node, to do something. A newer wish replaces one that was not begun. */
  wish(sessionId: SessionId, wish: SessionWish): Promise<void>
  /** Of these locations, those with a wish that waits: one question for all that a node works for. */
  wished(locations: readonly LocationId[]): Promise<readonly LocationId[]>
  /** The owner begins to fulfil it. False when another wish has taken its place. */
  takeWish(sessionId: SessionId, wishId: string): Promise<boolean>
  /** Removes credentials, Signal keys and journal; the row stays, as messages name it. */
  forgetCredentials(sessionId: SessionId): Promise<void>
  /** When it was the default, the oldest number that is left becomes it. */
  remove(sessionId: SessionId): Promise<void>
  createPairingLink(tokenHash: string, sessionId: SessionId, ttlMs: number): Promise<void>
  /** The session a pairing link is for, `undefined` when unknown or older than its time. */
  findPairingLink(tokenHash: string): Promise<{ sessionId: SessionId; expiresAt: Date } | undefined>
}
