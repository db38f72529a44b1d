/** The same deed for many, one after the other, so that GHL's and our limits are kept and each has its own outcome. */
import { useState } from 'preact/hooks'

export interface Outcome<Item, Result> {
  readonly item: Item
  readonly result?: Result
  readonly failure?: unknown
}

export interface OneByOne<Item, Result> {
  readonly outcomes: readonly Outcome<Item, Result>[]
  run(items: readonly Item[]): Promise<void>
}

export function useOneByOne<Item, Result>(act: (item: Item) => Promise<Result>): OneByOne<Item, Result> {
  const [outcomes, setOutcomes] = useState<readonly Outcome<Item, Result>[]>([])
  return {
    outcomes,
    run: async (items) => {
      setOutcomes([])
      for (const item of items) {
        const outcome = await act(item).then(
          (result) => ({ item, result }),
          (failure: unknown) => ({ item, failure }),
        )
        setOutcomes((before) => [...before, outcome])
      }
    },
  }
}
