/**
 * WhatsApp's reach-out lock: the number answers everybody it has a chat with, and begins no chat until the hour that
 * WhatsApp names. Whoever tries all the same makes it longer (whatsapp.md 1d).
 */
import type { ReachoutTimelockState } from '@whiskeysockets/baileys'
import type { Clock } from '../core/clock.ts'
import { toBridgeError, WhatsAppError } from '../core/errors.ts'
import { type ChatJid, findChatJid } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import type { SessionNotice } from '../core/message.ts'

/** Where WhatsApp names no hour. */
const DEFAULT_LOCK_MS = 60 * 60_000

export interface ReachOutDeps {
  /** As it is stored now. */
  readonly notice: () => SessionNotice | undefined
  /** Resolves when it is stored. */
  readonly show: (notice: SessionNotice | undefined) => Promise<void>
  /** What waited for it goes on. */
  readonly onLifted: () => Promise<void>
  readonly clock: Clock
  readonly log: Log
}

/** The connection, as far as the lock needs it. */
interface Line {
  askReachOutLock(): Promise<unknown>
  altOf(chat: ChatJid): Promise<ChatJid | undefined>
}

export class ReachOutLock {
  readonly #deps: ReachOutDeps
  #untilMs: number
  /** Chats that it refused to begin. */
  readonly #refused = new Set<ChatJid>()
  #ending = new AbortController()

  constructor(deps: ReachOutDeps) {
    const { until } = deps.notice() ?? {}
    this.#deps = deps
    this.#untilMs = until === undefined ? 0 : Date.parse(until)
  }

  /** Logged in: it may have been lifted while nobody listened. The answer comes to {@link learn}. */
  loggedIn(line: Line): void {
    if (this.#deps.notice() !== undefined) line.askReachOutLock().catch(() => undefined)
  }

  /**
   * What WhatsApp says of it: `undefined` when there is none, or none any more.
   *
   * @param signal ends the waiting for its end.
   */
  async learn(until: Date | undefined, signal: AbortSignal): Promise<void> {
    const { clock, notice, show, onLifted, log } = this.#deps
    const shown = notice()
    this.#untilMs = until?.getTime() ?? 0
    this.#ending.abort()
    if (until === undefined) {
      this.#refused.clear()
      if (shown === undefined) return
      await show(undefined)
      await onLifted()
      return
    }
    this.#ending = new AbortController()
    const ending = AbortSignal.any([signal, this.#ending.signal])
    clock.sleep(this.#untilMs - clock.nowMs(), ending).then(
      () =>
        this.learn(undefined, signal).catch((thrown: unknown) => {
          log.warn({ errorCode: toBridgeError(thrown).code }, 'the end of a reach-out lock was not stored')
        }),
      () => undefined,
    )
    const next = reachOutNotice(until)
    if (shown?.until === next.until) return
    log.warn({ until: next.until }, 'number may begin no chats for now')
    await show(next)
  }

  /**
   * @param chat `undefined` for a person that the bridge has no chat with.
   * @throws {WhatsAppError} `WA_REACHOUT_LOCKED` while WhatsApp would refuse.
   */
  requireOpen(chat: ChatJid | undefined): void {
    const leftMs = this.#untilMs - this.#deps.clock.nowMs()
    if (leftMs > 0 && (chat === undefined || this.#refused.has(chat))) throw reachOutLocked(leftMs)
  }

  /**
   * A message was refused: asks until when, if it was for this lock.
   *
   * @returns what to throw.
   */
  async explain(thrown: unknown, chat: ChatJid, line: Line): Promise<unknown> {
    if (!(thrown instanceof WhatsAppError) || thrown.code !== 'WA_REACHOUT_LOCKED') return thrown
    const nowMs = this.#deps.clock.nowMs()
    if (this.#untilMs <= nowMs) this.#untilMs = nowMs + DEFAULT_LOCK_MS
    this.#refused.add(chat)
    await line.askReachOutLock().catch(() => undefined)
    const leftMs = this.#untilMs - nowMs
    return leftMs > 0 ? reachOutLocked(leftMs, String(thrown.details['ackError'])) : thrown
  }

  /** Somebody has written: that chat exists from now on. @param sender as the stanza names him. */
  async heard(sender: string, line: Line): Promise<void> {
    const chat = this.#refused.size === 0 ? undefined : findChatJid(sender)
    if (chat === undefined) return
    const alt = await line.altOf(chat)
    const wasRefused =
      [chat, alt].filter((form) => form !== undefined && this.#refused.delete(form)).length > 0
    if (wasRefused) await this.#deps.onLifted()
  }
}

/** @param leftMs until it is tried again. */
export const reachOutLocked = (leftMs = DEFAULT_LOCK_MS, ackError?: string): WhatsAppError =>
  new WhatsAppError('WA_REACHOUT_LOCKED', 'WhatsApp does not let this number start new chats for now', {
    ...(ackError !== undefined && { details: { ackError } }),
    retryAfterMs: leftMs,
    action: 'Existing chats go on. Wait; writing to more strangers makes it longer.',
  })

export const reachOutNotice = (until: Date): SessionNotice => ({
  code: 'REACH_OUT_LOCKED',
  message: 'WhatsApp does not let this number start new chats for now.',
  action:
    'Existing chats go on, and first contacts go out by themselves after that. Write to no more strangers.',
  until: until.toISOString(),
})

/** When the lock ends; `undefined` when there is none. */
export function lockEnd(lock: ReachoutTimelockState, nowMs: number): Date | undefined {
  if (lock.isActive !== true) return undefined
  const { timeEnforcementEnds: end } = lock
  return end !== undefined && end.getTime() > nowMs ? end : new Date(nowMs + DEFAULT_LOCK_MS)
}
