/** What a measurement is and gives. One file each; main.ts runs them one after the other. */

export interface Figure {
  readonly what: string
  readonly value: number
  readonly unit: 'MiB' | 'ms' | 'calls' | 's' | '%'
  /** The most it may be. @see design.md 5 */
  readonly budget?: number
  /** The least it may be, where more is better. */
  readonly atLeast?: number
}

export interface Measurement {
  readonly name: string
  run(): Promise<readonly Figure[]>
}

/** @param share 0.5 for the median. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
