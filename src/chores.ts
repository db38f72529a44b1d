/** What runs now and then, on one node among all: the one that holds the lease for it. */
import type { Log } from './core/log.ts'
import type { Store } from './store/open-store.ts'

const PRUNE_EVERY_MS = 60 * 60_000

export class Chores {
  readonly #store: Pick<Store, 'prune'>
  readonly #log: Log
  #timer: NodeJS.Timeout | undefined

  constructor(store: Pick<Store, 'prune'>, log: Log) {
    this.#store = store
    this.#log = log
  }

  start(): void {
    this.#log.debug({}, 'this node does the chores')
    this.#timer = setInterval(() => void this.#store.prune(), PRUNE_EVERY_MS)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
