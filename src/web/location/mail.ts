/** A location's messages as its page shows them: what waits for a person, what is on its way, the latest. */
import { type Api, got, type Ledger, type Message } from '../api/client.ts'

/** How many of each list are asked for. */
export type Shown = Readonly<Record<'needed' | 'waiting' | 'latest', number>>
export const NOTHING_MORE: Shown = { needed: 10, waiting: 10, latest: 10 }

export interface List {
  readonly messages: readonly Message[]
  /** Undefined: not counted. */
  readonly total: number | undefined
  /** Reads more of it; undefined when this is all. */
  readonly more: (() => Promise<void>) | undefined
}

export interface Mail {
  /** By the clock of the location; `open` is of any day. */
  readonly today: Ledger & { readonly open: { readonly needed: number; readonly waiting: number } }
  /** Failed and held, not discarded: what waits for a person, the oldest first. */
  readonly needed: List
  /** How many of these are held, in all. */
  readonly held: number
  readonly waiting: List
  /** Without those that stand in one of the other lists. */
  readonly latest: List
}

export async function readMail(
  api: Api,
  locationId: string,
  shown: Shown,
  more: (list: keyof Shown) => Promise<void>,
): Promise<Mail> {
  const read = async (query: { limit: number; waitsFor?: 'person' | 'delivery'; state?: 'held' }) =>
    await got(
      api.GET('/api/messages', {
        params: {
          query: { locationId, order: query.waitsFor === undefined ? 'newest' : 'oldest', ...query },
        },
      }),
    )
  const listOf = (name: keyof Shown, { messages, nextCursor, total }: Awaited<ReturnType<typeof read>>) => {
    const isMore = total === null ? nextCursor !== null : messages.length < total
    return {
      messages,
      total: total ?? undefined,
      more: isMore && shown[name] < 200 ? () => more(name) : undefined,
    }
  }
  const [ledger, person, delivery, all] = await Promise.all([
    got(api.GET('/api/ledger/{locationId}', { params: { path: { locationId } } })),
    read({ waitsFor: 'person', limit: shown.needed }),
    read({ waitsFor: 'delivery', limit: shown.waiting }),
    read({ limit: shown.latest }),
  ])
  const needed = listOf('needed', person)
  const waiting = listOf('waiting', delivery)
  const heldHere = person.messages.filter(({ state }) => state === 'held').length
  const held =
    needed.more === undefined || heldHere === 0
      ? heldHere
      : ((await read({ waitsFor: 'person', state: 'held', limit: 1 })).total ?? heldHere)
  const above = new Set([...needed.messages, ...waiting.messages].map(({ id }) => id))
  const latest = { ...all, messages: all.messages.filter(({ id }) => !above.has(id)) }
  return {
    today: { ...ledger, open: { needed: person.total ?? 0, waiting: delivery.total ?? 0 } },
    needed,
    held,
    waiting,
    latest: listOf('latest', latest),
  }
}

/** Sends every held message of the location, the oldest first, one after the other. */
export async function sendHeld(api: Api, locationId: string): Promise<void> {
  for (;;) {
    const query = { locationId, waitsFor: 'person', state: 'held', order: 'oldest', limit: 50 } as const
    const { messages } = await got(api.GET('/api/messages', { params: { query } }))
    if (messages.length === 0) return
    for (const { id } of messages)
      await got(api.POST('/api/messages/{id}/retry', { params: { path: { id } } }))
  }
}
