/** What every part of the console has: the API, and word of what changed anywhere. */
import { createContext } from 'preact'
import { useCallback, useContext, useEffect, useMemo, useState } from 'preact/hooks'
import { type Api, createApi, type Login } from '../api/client.ts'
import { follow, type Link } from '../live/follow.ts'

/** Backstop for hints that were not heard. */
const LOOK_MS = 15_000

/** `all`: nobody knows what changed while the connection was gone. */
export type Change = 'numbers' | 'messages' | 'all'
type Listener = (change: Change) => void

export interface Console {
  readonly api: Api
  readonly login: Login
  readonly link: Link
  /** Calls back with every change until the returned function is called. */
  hear(listener: Listener): () => void
  /** Ids of the locations that are ticked on the wall, which outlive a look at one of them. */
  readonly chosen: ReadonlySet<string>
  choose(locations: readonly string[], areChosen: boolean): void
  clear(): void
}

export const ConsoleContext = createContext<Console | undefined>(undefined)

export function useConsole(): Console {
  const found = useContext(ConsoleContext)
  if (found === undefined) throw new Error('useConsole is for what stands inside the console')
  return found
}

export function useLiveConsole(login: Login): Console {
  const api = useMemo(() => createApi(login), [login])
  const listeners = useMemo(() => new Set<Listener>(), [])
  const [link, setLink] = useState<Link>('opening')
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const hear = useCallback(
    (listener: Listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    [listeners],
  )
  useEffect(() => {
    const tell = (change: Change) => {
      for (const listener of listeners) listener(change)
    }
    const unfollow = follow('/api/console/events', {
      // When the hour is over, the stream goes on once the key was shown again.
      login,
      onEvent: (event, data) => {
        if (event === 'opened') tell('all')
        const { numbers, messages } = data as { numbers?: string[]; messages?: string[] } // the route's own shape
        if (numbers !== undefined && numbers.length > 0) tell('numbers')
        if (messages !== undefined && messages.length > 0) tell('messages')
      },
      onLink: setLink,
      onRefused: () => setLink('lost'),
    })
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') tell('all')
    }, LOOK_MS)
    return () => {
      unfollow()
      clearInterval(timer)
    }
  }, [login, listeners])
  return {
    ...{ api, login, link, hear, chosen },
    choose: (locations, areChosen) => {
      setChosen((before) => {
        const next = new Set(before)
        for (const id of locations) {
          if (areChosen) next.add(id)
          else next.delete(id)
        }
        return next
      })
    },
    clear: () => setChosen(new Set()),
  }
}

export interface Loaded<T> {
  /** What the last good answer held; it stays while the next is asked for. */
  readonly data: T | undefined
  readonly failure: unknown
  /** Asks again now. */
  reload(): Promise<void>
}

/** One question at a time: what is asked meanwhile is asked once more afterwards, so that the answer is younger than the question. */
function inTurn(act: () => Promise<void>): () => Promise<void> {
  let underWay: Promise<void> | undefined
  let next: Promise<void> | undefined
  const ask = (): Promise<void> => {
    if (underWay === undefined) {
      underWay = act().finally(() => {
        underWay = undefined
      })
      return underWay
    }
    next ??= underWay.then(() => {
      next = undefined
      return ask()
    })
    return next
  }
  return ask
}

/**
 * What `load` answers, read again when one of `deps` changes and when the console hears of a change of these kinds.
 *
 * @param load may close over `deps` and nothing else that changes.
 * @param restMs at least so long between two looks that nobody asked for.
 */
export function useLoaded<T>(
  load: () => Promise<T>,
  deps: readonly unknown[],
  kinds: readonly Change[] = [],
  restMs = 0,
): Loaded<T> {
  const { hear } = useConsole()
  const [state, setState] = useState<Omit<Loaded<T>, 'reload'>>({ data: undefined, failure: undefined })
  const line = useMemo(() => {
    let isOver = false
    let askedAtMs = 0
    let later: ReturnType<typeof setTimeout> | undefined
    const isWanted = () => !isOver
    const reload = inTurn(async () => {
      if (!isWanted()) return
      askedAtMs = Date.now()
      const answer = await load().then(
        (data) => ({ data, failure: undefined }),
        (failure: unknown) => ({ failure }),
      )
      if (isWanted()) setState((before) => ({ ...before, ...answer }))
    })
    return {
      reload,
      hint: () => {
        later ??= setTimeout(
          () => {
            later = undefined
            void reload()
          },
          Math.max(0, askedAtMs + restMs - Date.now()),
        )
      },
      /** Whatever is still under way is nobody's any more. */
      end: () => {
        isOver = true
        clearTimeout(later)
      },
    }
  }, deps)
  useEffect(() => {
    void line.reload()
    const unhear = hear((change) => {
      if (kinds.length > 0 && (change === 'all' || kinds.includes(change))) line.hint()
    })
    return () => {
      unhear()
      line.end()
    }
  }, [line, hear])
  return { ...state, reload: line.reload }
}
