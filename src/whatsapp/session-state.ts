/** What one session is at the moment, in its row as soon as the store takes it. */
import type { Invitation, SessionPatch, SessionRow, SessionStore } from '../bridge/storage/sessions.ts'
import type { Clock } from '../core/clock.ts'
import { toBridgeError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { SessionNotice, SessionProblem, SessionStatus } from '../core/message.ts'
import { isOver } from './disconnect.ts'
import { patiently } from './patience.ts'

export interface Live {
  readonly status: SessionStatus
  /** Exactly one for what is not well. */
  readonly problem?: SessionProblem | undefined
  readonly qr?: string
  readonly pairingCode?: string
  /** Until when the QR or the code can be used. */
  readonly expiresAt?: Date
  /** When the next connection is tried. */
  readonly nextAttemptAt?: Date
}

/** What a login teaches about the number. */
export type Facts = Partial<Pick<SessionRow, 'phoneNumber' | 'lid' | 'name' | 'lastSeenAt' | 'pairedAt'>>

export interface SessionStateDeps {
  readonly sessionStore: SessionStore
  readonly clock: Clock
  readonly log: Log
}

export class SessionState {
  readonly #deps: SessionStateDeps
  #row: SessionRow
  #live: Live
  #saving: Promise<void> = Promise.resolve()

  constructor(deps: SessionStateDeps, row: SessionRow) {
    this.#deps = deps
    this.#row = row
    // What the row says of a connection was true in another life.
    this.#live = isOver(row.status)
      ? { status: row.status, problem: row.problem }
      : { status: 'initializing' }
  }

  get row(): SessionRow {
    return this.#row
  }

  get live(): Live {
    return this.#live
  }

  /** What people have called it meanwhile, on whichever node; `undefined`: WhatsApp's name at the next login. */
  named(name: string | undefined): void {
    this.#row = { ...this.#row, name }
  }

  /** What it cannot do for a while although it is connected. @param signal as for {@link move}. */
  async notify(notice: SessionNotice | undefined, signal: AbortSignal): Promise<void> {
    this.#row = { ...this.#row, notice }
    await this.#save({ notice: notice ?? null }, signal)
  }

  /** @param signal calls off the waiting for a store that is away. */
  async move(next: Live, signal: AbortSignal, facts: Facts = {}): Promise<void> {
    this.#live = next
    this.#row = { ...this.#row, ...facts }
    const patch: SessionPatch = {
      ...facts,
      status: next.status,
      problem: next.problem ?? null,
      nextAttemptAt: next.nextAttemptAt ?? null,
      live: invitationOf(next),
    }
    await this.#save(patch, signal)
  }

  /** In order, so that the last word is the last row. */
  async #save(patch: SessionPatch, signal: AbortSignal): Promise<void> {
    const { sessionStore, clock, log } = this.#deps
    this.#saving = this.#saving.then(async () => {
      const save = () => sessionStore.update(this.#row.sessionId, patch)
      await patiently(save, { clock, signal }).catch((thrown: unknown) => {
        log.warn({ errorCode: toBridgeError(thrown).code }, 'the state of a number was not stored')
      })
    })
    await this.#saving
  }
}

function invitationOf({ qr, pairingCode, expiresAt }: Live): Invitation | null {
  if (qr === undefined && pairingCode === undefined) return null
  return {
    ...(qr !== undefined && { qr }),
    ...(pairingCode !== undefined && { pairingCode }),
    ...(expiresAt !== undefined && { expiresAt: expiresAt.toISOString() }),
  }
}
