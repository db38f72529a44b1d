/**
 * The past of a number, brought into GHL after pairing: dated, once, and behind everything that is said now.
 *
 * The phone pushes its past in pieces; what lies in the wanted days is recorded as messages without jobs
 * (whatsapp/history-pieces.ts, {@link HistoryStore.accept}). This loop hands out jobs for them, a few per second, oldest
 * first, when the phone has been quiet for a while. From there on they are deliveries like others, on lanes of their own, in
 * GHL's limiter behind all live calls. Everything that waits is rows, so a restart goes on where it was.
 */
import type { Clock } from '../core/clock.ts'
import { toBridgeError } from '../core/errors.ts'
import type { LocationId, SessionId } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import type { Envelope } from '../core/message.ts'

/** How far an import has come. Counts are messages. */
export interface HistoryImport {
  /** `collecting`: the phone is still sending. `importing`: GHL is being given what it sent. */
  readonly state: 'collecting' | 'importing' | 'done'
  readonly days: number
  readonly pairedAt: Date
  readonly found: number
  readonly imported: number
  readonly failed: number
  readonly startedAt: Date
  readonly finishedAt: Date | undefined
}

/** The durable side, with the promises of storage.ts. */
export interface HistoryStore {
  /** Begins the import of a pairing; a repeat for the same pairing changes nothing. */
  begin(session: {
    sessionId: SessionId
    locationId: LocationId
    days: number
    pairedAt: Date
  }): Promise<void>
  find(sessionId: SessionId): Promise<HistoryImport | undefined>
  /**
   * Records messages of one number's past, oldest first in each chat; what the location knows already is passed over.
   *
   * @returns how many were new.
   */
  accept(
    place: { sessionId: SessionId; locationId: LocationId },
    envelopes: readonly Envelope[],
  ): Promise<number>
  /** Makes jobs for what is next, none while live work waits. `open`: imports that are not done. */
  release(
    locations: readonly LocationId[],
    pace: { readonly perTurn: number; readonly inFlight: number; readonly quietMs: number },
  ): Promise<{ released: number; open: number }>
}

/** Messages per second and number; integrators of GHL keep to about this (ghl.md 8). */
const PER_TURN = 5
const TURN_MS = 1_000
/** The phone counts as done when it has sent nothing for so long; what comes later is handed out then. */
const QUIET_MS = 10_000
/** With nothing to import. A new import nudges; this is for one that another node left behind. */
const IDLE_MS = 15_000
/** Handed out and not settled: enough to keep the pace over slow answers, too few to fill the worker. */
const IN_FLIGHT = 10

export interface HistoryImporterDeps {
  readonly history: Pick<HistoryStore, 'release'>
  /** The locations that this node works for. */
  readonly locations: () => readonly LocationId[]
  /** Tells the worker that there is work. */
  readonly nudge: () => void
  readonly clock: Clock
  readonly log: Log
}

export class HistoryImporter {
  readonly #deps: HistoryImporterDeps
  readonly #stop = new AbortController()
  #wake = Promise.withResolvers<void>()
  #loop: Promise<void> = Promise.resolve()

  constructor(deps: HistoryImporterDeps) {
    this.#deps = deps
  }

  start(): void {
    this.#loop = this.#run()
  }

  /** Something may be waiting to be handed out. */
  nudge(): void {
    this.#wake.resolve()
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('stopped'))
    await this.#loop
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      this.#wake = Promise.withResolvers()
      const open = await this.#turn()
      await this.#pause(open > 0 ? TURN_MS : IDLE_MS, open === 0)
    }
  }

  async #turn(): Promise<number> {
    const { history, locations, nudge, log } = this.#deps
    const ours = locations()
    if (ours.length === 0) return 0
    try {
      const pace = { perTurn: PER_TURN, inFlight: IN_FLIGHT, quietMs: QUIET_MS }
      const { released, open } = await history.release(ours, pace)
      if (released > 0) nudge()
      return open
    } catch (thrown) {
      log.warn({ errorCode: toBridgeError(thrown).code }, 'could not go on with the import of history')
      return 0
    }
  }

  async #pause(ms: number, untilNudged: boolean): Promise<void> {
    const over = new AbortController()
    const signal = AbortSignal.any([over.signal, this.#stop.signal])
    const slept = this.#deps.clock.sleep(ms, signal).catch(() => undefined)
    await (untilNudged ? Promise.race([slept, this.#wake.promise]) : slept)
    over.abort(new Error('woken'))
  }
}
