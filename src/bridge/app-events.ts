/**
 * App events (webhooks of the marketplace app): each is stored before GHL gets its 200, then acted on, in any order and as
 * often as it takes. Whoever dies over one leaves it to the next node that looks.
 *
 * States of an event: `received` -> `processed` | `ignored` (with its reason); or, when acting on it failed, `received`
 * again after a while, and `failed` in the end.
 */
import { type BridgeError, toBridgeError } from '../core/errors.ts'
import type { GhlContactId, LocationId } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import type { ClaimedEvent, WebhookEventStore } from './installations.ts'

/** An app event as GHL sends it. */
export interface AppEvent {
  /** GHL's word: `INSTALL`, `UNINSTALL`, `UPDATE`, `ContactDelete`, `OutboundMessage`, ... */
  readonly type: string
  /** GHL's id, the same on every repeat. When it sends none: a digest of a body that says when, else one of a kind. */
  readonly webhookId: string
  readonly locationId: LocationId | undefined
  /** A location is named, in a way that cannot be read: nobody knows whom the event is about. */
  readonly isUnreadable: boolean
  readonly companyId: string | undefined
  readonly companyName: string | undefined
  readonly userId: string | undefined
  readonly appId: string | undefined
  readonly versionId: string | undefined
  /** `api` on a message event: the echo of what an app put there. */
  readonly source: string | undefined
  /** Of a Contact event. */
  readonly ghlContactId: GhlContactId | undefined
  /** A white-label agency's own domain, which may show our pages in a frame. */
  readonly whitelabelDomain: string | undefined
  readonly sentAt: Date | undefined
  readonly payload: Readonly<Record<string, unknown>>
}

export type EventOutcome = 'processed' | { readonly ignored: string }

/**
 * Acts on one event. Repeatable, and right in any order. A thrown {BridgeError} that may pass makes it come again.
 *
 * @param attempt 1 for the first.
 */
export type EventHandler = (event: AppEvent, attempt: number) => Promise<EventOutcome>

export interface AppEventsDeps {
  readonly events: WebhookEventStore
  readonly parse: (json: unknown) => AppEvent
  /** By GHL's word. Every other type is stored as ignored. */
  readonly handlers: Readonly<Record<string, EventHandler>>
  /** Ours; GHL signs the events of all apps with one key, so another app's are told apart by this alone. */
  readonly appId: string | undefined
  readonly log: Log
}

const BATCH = 20
/** Of one event with all its calls; then another may take it. */
const HOLD_MS = 120_000
/** What a dead node left, and what waits for its next attempt, is looked for this often. */
const LOOK_MS = 5_000
const ATTEMPTS = 10
const PATIENCE_MS = 15 * 60_000

export class AppEvents {
  readonly #deps: AppEventsDeps
  #working: Promise<void> | undefined
  #isAsked = false
  #isStopping = false
  #timer: NodeJS.Timeout | undefined

  constructor(deps: AppEventsDeps) {
    this.#deps = deps
  }

  /**
   * Resolves when the event is stored.
   *
   * @param event of a body whose signature was right.
   */
  async accept(event: AppEvent): Promise<{ readonly accepted: string } | { readonly ignored: string }> {
    const ignored = this.#whyIgnored(event)
    const { webhookId, type, locationId, companyId, payload } = event
    const accepted = await this.#deps.events.record({
      webhookId,
      type,
      locationId,
      companyId,
      payload,
      ignored,
    })
    if (ignored !== undefined) return { ignored }
    this.nudge()
    return { accepted }
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.nudge()
    }, LOOK_MS)
    this.nudge()
  }

  /** There may be something to do. */
  nudge(): void {
    this.#isAsked = true
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined
      if (this.#isAsked && !this.#isStopping) this.nudge()
    })
  }

  /** Resolves when what is in hand is settled. */
  async stop(): Promise<void> {
    this.#isStopping = true
    clearInterval(this.#timer)
    await this.#working
  }

  #whyIgnored({ type, appId, source, isUnreadable }: AppEvent): string | undefined {
    if (isUnreadable) return 'unreadable_location'
    const ours = this.#deps.appId
    if (ours !== undefined && appId !== undefined && appId !== ours) return 'foreign_app'
    // Removing an app is nothing that an event without a sender may do.
    if (ours !== undefined && appId === undefined && /^(UN)?INSTALL$/.test(type)) return 'foreign_app'
    if (Object.hasOwn(this.#deps.handlers, type)) return undefined
    return /^(Outbound|Inbound)Message$/.test(type) && source === 'api' ? 'echo' : 'not_needed'
  }

  async #work(): Promise<void> {
    const { events, log } = this.#deps
    while (this.#isAsked && !this.#isStopping) {
      this.#isAsked = false
      try {
        const claimed = await events.claim(BATCH, HOLD_MS)
        if (claimed.length === BATCH) this.#isAsked = true
        await Promise.all(claimed.map((each) => this.#act(each)))
      } catch (thrown) {
        log.warn({ errorCode: toBridgeError(thrown).code }, 'could not look after the app events')
      }
    }
  }

  async #act(claimed: ClaimedEvent): Promise<void> {
    const { events, parse, handlers, log } = this.#deps
    const { webhookId } = claimed
    try {
      if ('unsealable' in claimed) throw claimed.unsealable
      const event = { ...parse(claimed.payload), webhookId }
      const handle = Object.hasOwn(handlers, event.type) ? handlers[event.type] : undefined
      const outcome = (await handle?.(event, claimed.attempts)) ?? { ignored: 'not_needed' }
      if (outcome === 'processed') await events.settle(webhookId, { state: 'processed' })
      else await events.settle(webhookId, { state: 'ignored', reason: outcome.ignored })
      log.info({ webhookId, kind: event.type, locationId: event.locationId, outcome }, 'app event settled')
    } catch (thrown) {
      await this.#postpone(claimed, toBridgeError(thrown))
    }
  }

  async #postpone(claimed: ClaimedEvent, error: BridgeError): Promise<void> {
    const { events, log } = this.#deps
    const { webhookId, attempts } = claimed
    log.warn({ webhookId, attempt: attempts, errorCode: error.code }, 'could not act on an app event')
    const mayPass = error.disposition === 'retry' || error.disposition === 'park'
    if (mayPass && attempts < ATTEMPTS) {
      const retryInMs = error.retryAfterMs ?? Math.min(1_000 * 2 ** attempts, PATIENCE_MS)
      await events.settle(webhookId, { state: 'received', reason: error.code, retryInMs })
    } else await events.settle(webhookId, { state: 'failed', reason: error.code })
  }
}
