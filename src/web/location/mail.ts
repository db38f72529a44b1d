/** A location's messages as its page shows them: what waits for a person, what is on its way, the latest. */
import { type Api, got, type Ledger, type Message } from '../api/client.ts'

/** How many of each list are asked for. */
export type Shown = Readonly<Record<'needed' | 'waiting' | 'latest', number>>
export const NOTHING_MORE: Shown = { needed: 10, waiting: 10, latest: 10 }
/** The API's most. */
const AT_ONCE = 200

/** A step that grows with the list, until it is as much as one answer holds. */
export const moreThan = (shown: number): number => shown + Math.min(AT_ONCE, 4 * shown)

/** How many calls {@link readMail} makes at most. */
export const callsFor = ({ needed, waiting, latest }: Shown): number =>
  [needed, waiting, needed + waiting + latest + 1].reduce(
    (calls, many) => calls + Math.ceil(many / AT_ONCE),
    2,
  )

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

interface Wanted {
  readonly limit: number
  /** With it the oldest stand first. */
  readonly waitsFor?: 'person' | 'delivery'
}

/** Answers are put together until there are as many as wanted. */
async function readMessages(api: Api, locationId: string, { limit, ...wanted }: Wanted) {
  const order = wanted.waitsFor === undefined ? ('newest' as const) : ('oldest' as const)
  const messages: Message[] = []
  for (let cursor: string | undefined; ; ) {
    const query = {
      ...{ locationId, order, ...wanted, limit: Math.min(AT_ONCE, limit - messages.length) },
      ...(cursor !== undefined && { cursor }),
    }
    const page = await got(api.GET('/api/messages', { params: { query } }))
    messages.push(...page.messages)
    if (page.nextCursor === null || messages.length >= limit) return { ...page, messages }
    cursor = page.nextCursor
  }
}

export async function readMail(
  api: Api,
  locationId: string,
  shown: Shown,
  more: (list: keyof Shown) => Promise<void>,
): Promise<Mail> {
  const read = (wanted: Wanted) => readMessages(api, locationId, wanted)
  const counted = (name: keyof Shown, { messages, total }: Awaited<ReturnType<typeof read>>): List => ({
    messages,
    total: total ?? messages.length,
    more: messages.length < (total ?? 0) ? () => more(name) : undefined,
  })
  const [ledger, person, delivery, all] = await Promise.all([
    got(api.GET('/api/ledger/{locationId}', { params: { path: { locationId } } })),
    read({ waitsFor: 'person', limit: shown.needed }),
    read({ waitsFor: 'delivery', limit: shown.waiting }),
    // As many may stand in the other lists, and one more than is shown tells whether there are more.
    read({ limit: shown.needed + shown.waiting + shown.latest + 1 }),
  ])
  const needed = counted('needed', person)
  const waiting = counted('waiting', delivery)
  const held =
    needed.more === undefined
      ? needed.messages.filter(({ state }) => state === 'held').length
      : (await got(api.GET('/api/messages/waiting', { params: { query: { locationId } } }))).held
  const above = new Set([...needed.messages, ...waiting.messages].map(({ id }) => id))
  const latest = all.messages.filter(({ id }) => !above.has(id))
  return {
    today: { ...ledger, open: { needed: person.total ?? 0, waiting: delivery.total ?? 0 } },
    needed,
    held,
    waiting,
    latest: {
      messages: latest.slice(0, shown.latest),
      total: undefined,
      more: latest.length > shown.latest ? () => more('latest') : undefined,
    },
  }
}
