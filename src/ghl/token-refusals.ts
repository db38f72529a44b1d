/** Whether a refused access token is worth replacing: a refresh for every odd refusal would take an integration down. */
import type { Clock } from '../core/clock.ts'
import { authVerdict, type Refusal } from './refusals.ts'

/** A token younger than this that is refused in unknown words is not refused for its age. */
const FRESH_MS = 60_000
/** Where a new token did not help, the next is asked for after FRESH_MS, then twice that, and so on up to this. */
const MOST_PATIENCE_MS = 3_600_000

/** A token that was refused as its predecessor was. */
interface Fruitless {
  readonly accessToken: string
  readonly atMs: number
  /** In a row. */
  readonly times: number
}

/** The token that a call was made with. */
export interface Used {
  readonly installationId: string
  readonly accessToken: string
}

export class TokenRefusals {
  readonly #clock: Clock
  readonly #given = new Map<string, { readonly accessToken: string; readonly atMs: number }>()
  /** By installation and verdict: words that nobody knows must not hold back the cure for those that all know. */
  readonly #fruitless = new Map<string, Fruitless>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** GHL has just given this token. */
  given({ installationId, accessToken }: Used): void {
    this.#given.set(installationId, { accessToken, atMs: this.#clock.nowMs() })
  }

  /** Whether another token may do what this one, the newest there is, could not. */
  isCurable(used: Used, refusal: Refusal): boolean {
    const verdict = authVerdict(refusal)
    if (verdict !== 'refresh' && verdict !== 'refresh_if_old') return false
    if (verdict === 'refresh_if_old' && this.#isFresh(used)) {
      this.#noteFruitless(used, verdict)
      return false
    }
    const last = this.#fruitless.get(`${used.installationId} ${verdict}`)
    if (last === undefined) return true
    const pauseMs = Math.min(FRESH_MS * 2 ** (last.times - 1), MOST_PATIENCE_MS)
    return this.#clock.nowMs() - last.atMs > pauseMs
  }

  /** Whether the new token made a difference: what the call met under the old one, and under the new. */
  noteCure(renewed: Used, first: Refusal, second: Refusal | undefined): void {
    const verdict = authVerdict(first) ?? ''
    const after = second && authVerdict(second)
    if (after === 'refresh' || after === 'refresh_if_old') this.#noteFruitless(renewed, verdict)
    else this.#fruitless.delete(`${renewed.installationId} ${verdict}`)
  }

  /** A new token that this call cannot try at once: until one like it works, it counts as no better. */
  noteUntried(renewed: Used, refusal: Refusal): void {
    this.#noteFruitless(renewed, authVerdict(refusal) ?? '')
  }

  /** A call like the refused one works. */
  noteWorks(installationId: string): void {
    for (const verdict of ['refresh', 'refresh_if_old'])
      this.#fruitless.delete(`${installationId} ${verdict}`)
  }

  #isFresh({ installationId, accessToken }: Used): boolean {
    const given = this.#given.get(installationId)
    return given?.accessToken === accessToken && this.#clock.nowMs() - given.atMs <= FRESH_MS
  }

  /** Once per token, however many calls it was refused to. */
  #noteFruitless({ installationId, accessToken }: Used, verdict: string): void {
    const key = `${installationId} ${verdict}`
    const last = this.#fruitless.get(key)
    if (last?.accessToken === accessToken) return
    this.#fruitless.set(key, { accessToken, atMs: this.#clock.nowMs(), times: (last?.times ?? 0) + 1 })
  }
}
