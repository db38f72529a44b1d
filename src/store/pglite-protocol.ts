/** What the main thread and the database's worker thread say to each other. JSON travels as text: cheaper than cloning. */
import type { Migration } from './migrate.ts'

export interface WorkerInput {
  readonly pgDataDir: string
  readonly migrations: readonly Migration[]
}

export type ToWorker =
  | { readonly kind: 'call'; readonly id: number; readonly fn: string; readonly args: string }
  | { readonly kind: 'close' }

export type FromWorker =
  | { readonly kind: 'ready'; readonly applied: readonly string[] }
  | {
      readonly kind: 'unusable'
      readonly isSchema: boolean
      readonly message: string
      readonly action: string | undefined
    }
  | { readonly kind: 'answer'; readonly id: number; readonly value: string | null }
  | {
      readonly kind: 'refusal'
      readonly id: number
      readonly sqlState: string | undefined
      readonly reason: string
    }
  | { readonly kind: 'announced'; readonly text: string }
  | { readonly kind: 'upkeep_failed'; readonly reason: string }
