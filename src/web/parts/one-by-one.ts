/** The same deed for many, one after the other, so that GHL's and our limits are kept and each has its own outcome. */
import { useState } from 'preact/hooks'
import { useIsHere } from './is-here.ts'

export interface Outcome<Item, Result> {
  readonly item: Item
  readonly result?: Result
  readonly failure?: unknown
}

export interface OneByOne<Item, Result> {
  readonly outcomes: readonly Outcome<Item, Result>[]
  /** Ends early when whoever asked for it is gone from the page. */
  run(items: readonly Item[]): Promise<void>
  /** The same for some of them, whose outcomes take the place of the former ones. */
  again(items: readonly Item[]): Promise<void>
}

export function useOneByOne<Item, Result>(act: (item: Item) => Promise<Result>): OneByOne<Item, Result> {
  const [outcomes, setOutcomes] = useState<readonly Outcome<Item, Result>[]>([])
  const isHere = useIsHere()
  const again = async (items: readonly Item[]): Promise<void> => {
    for (const item of items) {
      if (!isHere.current) return
      const outcome = await act(item).then(
        (result) => ({ item, result }),
        (failure: unknown) => ({ item, failure }),
      )
      setOutcomes((before) =>
        before.some((each) => each.item === item)
          ? before.map((each) => (each.item === item ? outcome : each))
          : [...before, outcome],
      )
    }
  }
  return {
    outcomes,
    again,
    run: async (items) => {
      setOutcomes([])
      await again(items)
    },
  }
}
