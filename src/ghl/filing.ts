/**
 * Adding a message to a contact's conversation: in which of the ways that GHL knows, and what its answer proves.
 *
 * A way is a type (that of a ticked provider, or of one that stands in for SMS) and an address (the contact, or the
 * conversation). GHL does not tell which one a provider wants, it refuses the others as a mismatch: a refusal costs a call,
 * so the way that worked is remembered for its location, on all nodes, until another one works.
 */
import { z } from 'zod'
import type { InstallationStore } from '../bridge/installations.ts'
import type { GhlFiling, GhlInboundMessage } from '../bridge/ports.ts'
import type { Clock } from '../core/clock.ts'
import { BridgeError, ConfigError, GhlError, InvariantError } from '../core/errors.ts'
import {
  type GhlConversationId,
  type LocationId,
  parseGhlConversationId,
  parseGhlMessageId,
} from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import type { GhlClient } from './client.ts'
import { isMismatch, type Refusal, refusalError } from './refusals.ts'
import type { Threads } from './threads.ts'
import type { GhlTokens } from './tokens.ts'
import type { Answer } from './transport.ts'

export interface FilingDeps {
  readonly client: GhlClient
  readonly tokens: GhlTokens
  readonly installations: Pick<InstallationStore, 'rememberProviderWay'>
  readonly providerId: string | undefined
  readonly providerType: 'custom' | 'sms'
  readonly clock: Clock
  readonly log: Log
}

type ProviderType = 'Custom' | 'SMS'

interface Way {
  readonly type: ProviderType
  readonly by: 'contact' | 'conversation'
}

const filingSchema = z.looseObject({
  messageId: z.string(),
  conversationId: z.string().optional().catch(undefined),
})

export function createFiling(
  deps: FilingDeps,
  threads: Threads,
): (message: GhlInboundMessage) => Promise<GhlFiling> {
  const addBy = async (message: GhlInboundMessage, { type, by }: Way): Promise<Answer | undefined> => {
    if (by === 'contact') return await add(deps, message, type, undefined)
    const conversation = await threads.find(message.locationId, message.ghlContactId)
    return conversation && (await add(deps, message, type, conversation))
  }

  return async (message) => {
    const { locationId } = message
    const { installation } = await deps.tokens.access(locationId)
    const configured: ProviderType = deps.providerType === 'custom' ? 'Custom' : 'SMS'
    const known: Way = {
      type: installation.providerType ?? configured,
      by: installation.providerAddress ?? 'contact',
    }
    let refused: Refusal | undefined
    for (const way of waysFrom(known)) {
      const answer = await addBy(message, way)
      if (answer !== undefined && !isMismatch(answer.refusal)) {
        const filing = await filed(answer, message, threads)
        if (way.type !== known.type || way.by !== known.by) await remember(deps, locationId, way, configured)
        return filing
      }
      refused ??= answer?.refusal
    }
    if (refused === undefined) throw new InvariantError('A message was added in no way at all')
    throw refusalError(refused, 'GHL refused to add the message')
  }
}

/** What is known first; by contact otherwise, as all but one integrator do. */
function waysFrom(known: Way): readonly Way[] {
  const types = [known.type, known.type === 'Custom' ? 'SMS' : 'Custom'] as const
  const ways = (['contact', 'conversation'] as const).map((by) => types.map((type) => ({ type, by })))
  return (known.by === 'conversation' ? ways.reverse() : ways).flat()
}

async function remember(
  deps: FilingDeps,
  locationId: LocationId,
  { type, by }: Way,
  configured: ProviderType,
): Promise<void> {
  try {
    await deps.installations.rememberProviderWay(locationId, {
      providerType: type === configured ? undefined : type,
      providerAddress: by === 'contact' ? undefined : by,
    })
    deps.tokens.forget(locationId)
  } catch (thrown) {
    // The message is in GHL: an error now would have it added again. The next message learns the way anew.
    const errorCode = thrown instanceof BridgeError ? thrown.code : 'unknown'
    deps.log.warn({ locationId, errorCode }, 'could not remember how the provider takes messages')
  }
}

async function add(
  deps: FilingDeps,
  message: GhlInboundMessage,
  type: ProviderType,
  conversation: GhlConversationId | undefined,
): Promise<Answer> {
  if (deps.providerId === undefined) throw new ConfigError('CONFIG_MISSING', 'GHL_PROVIDER_ID is not set')
  const json = {
    type,
    conversationProviderId: deps.providerId,
    ...(conversation === undefined ? { contactId: message.ghlContactId } : { conversationId: conversation }),
    altId: message.altId,
    // Left out, GHL takes it for outbound.
    direction: message.direction,
    ...(message.text !== '' && { message: message.text }),
    // An empty list is refused.
    ...(message.attachments.length > 0 && { attachments: message.attachments }),
    ...(message.sentAt && { date: message.sentAt.toISOString() }),
  }
  return await deps.client.send(message.locationId, {
    method: 'POST',
    path: '/conversations/messages/inbound',
    json,
  })
}

async function filed(answer: Answer, message: GhlInboundMessage, threads: Threads): Promise<GhlFiling> {
  if (answer.refusal !== undefined) {
    throw refusalError(answer.refusal, 'GHL refused to add the message')
  }
  const filing = filingSchema.safeParse(answer.body).data
  // GHL answers 201 with an empty body and stores nothing when it misses the provider.
  if (filing === undefined) {
    throw new GhlError('GHL_RESPONSE_INVALID', 'GHL answered without a message id', {
      action: 'Check GHL_PROVIDER_ID and GHL_PROVIDER_TYPE.',
      details: { status: answer.status },
    })
  }
  const ghlConversationId =
    filing.conversationId === undefined
      ? await whereItIs(message, threads)
      : parseGhlConversationId(filing.conversationId)
  threads.keep(message.ghlContactId, ghlConversationId)
  return { ghlMessageId: parseGhlMessageId(filing.messageId), ghlConversationId }
}

/** The message is in GHL, whatever comes now: what cannot be found out is looked up by its altId, never added again. */
async function whereItIs(
  { locationId, ghlContactId }: GhlInboundMessage,
  threads: Threads,
): Promise<GhlConversationId> {
  const find = async () =>
    (await threads.find(locationId, ghlContactId)) ?? (await threads.findLater(locationId, ghlContactId))
  const conversation = await find().catch(() => undefined)
  if (conversation !== undefined) return conversation
  throw new GhlError('GHL_UNAVAILABLE', 'GHL took the message but did not say into which conversation', {
    certainty: 'unknown',
  })
}
