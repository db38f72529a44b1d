/** The import of history in memory: what was begun and recorded, once each. */
import type { HistoryImport, HistoryStore } from '../../src/bridge/history-import.ts'
import type { SessionId } from '../../src/core/ids.ts'
import type { Envelope } from '../../src/core/message.ts'

export class MemoryHistory implements HistoryStore {
  readonly accepted: Envelope[] = []
  /** Called before each batch is recorded. */
  gate: () => Promise<void> | void = () => undefined
  readonly #imports = new Map<SessionId, HistoryImport>()

  begin({ sessionId, days, pairedAt }: Parameters<HistoryStore['begin']>[0]): Promise<void> {
    if (this.#imports.get(sessionId)?.pairedAt.getTime() !== pairedAt.getTime()) {
      const counts = { found: 0, imported: 0, failed: 0 }
      const begun = {
        state: 'collecting',
        days,
        pairedAt,
        startedAt: new Date(),
        finishedAt: undefined,
      } as const
      this.#imports.set(sessionId, { ...begun, ...counts })
    }
    return Promise.resolve()
  }

  find(sessionId: SessionId): Promise<HistoryImport | undefined> {
    return Promise.resolve(this.#imports.get(sessionId))
  }

  async accept(_place: unknown, envelopes: readonly Envelope[]): Promise<number> {
    await this.gate()
    const added = envelopes.filter(
      ({ waMessageId }) => !this.accepted.some((known) => known.waMessageId === waMessageId),
    )
    this.accepted.push(...added)
    return added.length
  }

  release(): Promise<{ released: number; open: number }> {
    return Promise.resolve({ released: 0, open: 0 })
  }

  get texts(): string[] {
    return this.accepted.flatMap(({ content }) => (content.kind === 'text' ? [content.text] : []))
  }
}
