/** How many messages were ignored on purpose, by reason, since this process began. */
import { IGNORE_REASONS, type IgnoreReason } from '../core/message.ts'

export class IgnoredCount {
  readonly #counts = new Map<IgnoreReason, number>(IGNORE_REASONS.map((reason) => [reason, 0]))

  add(reason: IgnoreReason): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1)
  }

  /** Every reason, also those that have not happened. */
  counts(): ReadonlyMap<IgnoreReason, number> {
    return this.#counts
  }
}
