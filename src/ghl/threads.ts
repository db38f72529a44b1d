/** Which conversation a contact has. */
import { z } from 'zod'
import type { Clock } from '../core/clock.ts'
import { GhlError } from '../core/errors.ts'
import {
  type GhlContactId,
  type GhlConversationId,
  type LocationId,
  parseGhlConversationId,
} from '../core/ids.ts'
import type { GhlClient } from './client.ts'
import { refusalError } from './refusals.ts'
import type { GhlCall } from './transport.ts'

/** Conversations remembered; each is about 100 bytes. */
const REMEMBERED = 20_000
/** GHL's search lags behind its writes (observed); an answer of "none" is asked for twice. */
const SEARCH_LAG_MS = 1_500

const searchSchema = z.looseObject({ conversations: z.array(z.looseObject({ id: z.string() })) })
const conversationSchema = z.looseObject({ conversation: z.looseObject({ id: z.string() }) })

export type Threads = ReturnType<typeof createThreads>

/** The conversation of each contact, as far as this process has seen it. */
export function createThreads({ client, clock }: { readonly client: GhlClient; readonly clock: Clock }) {
  const known = new Map<GhlContactId, GhlConversationId>()

  const keep = (contact: GhlContactId, conversation: GhlConversationId): void => {
    known.delete(contact)
    known.set(contact, conversation)
    const oldest = known.keys().next().value
    if (known.size > REMEMBERED && oldest !== undefined) known.delete(oldest)
  }

  const find = async (
    locationId: LocationId,
    contact: GhlContactId,
  ): Promise<GhlConversationId | undefined> => {
    const seen = known.get(contact)
    if (seen !== undefined) return seen
    const query = { locationId, contactId: contact, limit: 1 }
    const call: GhlCall = { method: 'GET', path: '/conversations/search', query }
    const body = await client.request(locationId, call, 'GHL refused the search')
    const id = searchSchema.safeParse(body).data?.conversations[0]?.id
    if (id === undefined) return undefined
    keep(contact, parseGhlConversationId(id))
    return known.get(contact)
  }

  return {
    find,
    async findLater(locationId: LocationId, contact: GhlContactId): Promise<GhlConversationId | undefined> {
      await clock.sleep(SEARCH_LAG_MS)
      return await find(locationId, contact)
    },
    /** An upload needs a conversation (contact alone is not proven to do, ghl.md 4.4): found, else made. */
    async open(locationId: LocationId, contact: GhlContactId): Promise<GhlConversationId> {
      const found = await find(locationId, contact)
      if (found !== undefined) return found
      const json = { locationId, contactId: contact }
      const { body, refusal } = await client.send(locationId, {
        method: 'POST',
        path: '/conversations/',
        json,
      })
      const id = refusal?.conversationId ?? conversationSchema.safeParse(body).data?.conversation.id
      if (id === undefined && refusal !== undefined) throw refusalError(refusal, 'GHL refused a conversation')
      if (id === undefined) throw new GhlError('GHL_RESPONSE_INVALID', 'GHL answered without a conversation')
      keep(contact, parseGhlConversationId(id))
      return parseGhlConversationId(id)
    },
    forget: (contact: GhlContactId): void => void known.delete(contact),
    keep,
  }
}
