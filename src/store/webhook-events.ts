import { z } from 'zod'
import type { WebhookEventStore } from '../bridge/installations.ts'
import { isUnsealable } from '../core/errors.ts'
import type { AgentMessage } from '../core/message.ts'
import type { Database } from './database.ts'
import { date, optional } from './rows.ts'
import type { Seal, SealedPlace } from './seal.ts'

const Recorded = z.enum(['recorded', 'duplicate'])
const Claimed = z.array(
  z.object({
    webhookId: z.string(),
    locationId: z.string().nullable(),
    payload: z.string(),
    attempts: z.number(),
  }),
)
const EventRows = z.array(
  z.object({
    webhookId: z.string(),
    type: z.string(),
    locationId: optional(z.string()),
    companyId: optional(z.string()),
    state: z.enum(['received', 'processed', 'ignored', 'failed']),
    reason: optional(z.string()),
    attempts: z.number(),
    receivedAt: date,
    settledAt: optional(date),
  }),
)

/** Longer than GHL repeats a delivery (ghl.md 7), so that a repeat is always known. */
const IGNORED_KEPT_MS = 5 * 24 * 60 * 60_000
/** As long as GHL keeps its own log of deliveries. */
const KEPT_MS = 30 * 24 * 60 * 60_000

export function createWebhookEventStore(deps: { database: Database; seal: Seal }): WebhookEventStore {
  const { database, seal } = deps
  return {
    async record({ payload, ...event }) {
      const place = placeOf(event.webhookId, event.locationId)
      const answer = await database.call('record_webhook_event', {
        ...event,
        payload: seal.seal(place, JSON.stringify(payload)),
      })
      return Recorded.parse(answer)
    },
    async recordIgnored({ webhookId, locationId, reason, payload }) {
      const id = deliveryId(webhookId)
      await database.call('record_webhook_event', {
        webhookId: id,
        type: DELIVERY,
        locationId,
        payload: seal.seal(placeOf(id, locationId), JSON.stringify(payload)),
        ignored: reason,
      })
    },
    async claim(limit, holdMs) {
      const rows = Claimed.parse(await database.call('claim_webhook_events', { limit, holdMs }))
      return rows.map(({ webhookId, locationId, payload, attempts }) => {
        try {
          const text = seal.openText(placeOf(webhookId, locationId), payload)
          return { webhookId, attempts, payload: JSON.parse(text) as unknown }
        } catch (thrown) {
          if (isUnsealable(thrown)) return { webhookId, attempts, unsealable: thrown }
          throw thrown
        }
      })
    },
    async settle(webhookId, outcome) {
      await database.call('settle_webhook_event', { webhookId, ...outcome })
    },
    async list(query) {
      return EventRows.parse(await database.call('list_webhook_events', query))
    },
    async prune() {
      await database.call('prune_webhook_events', { ignoredMs: IGNORED_KEPT_MS, keptMs: KEPT_MS })
    },
  }
}

const DELIVERY = 'ProviderDelivery'

/** Nothing says that a delivery and an app event never share an id. */
const deliveryId = (webhookId: string): string => `delivery:${webhookId}`

/** What {@link MessageStore.acceptOutbound} writes of the delivery that brought the message. */
export function deliveryColumns(seal: Seal, { webhookId, locationId, ghlMessageId }: AgentMessage) {
  if (webhookId === undefined) return {}
  const id = deliveryId(webhookId)
  const webhookPayload = seal.seal(placeOf(id, locationId), JSON.stringify({ messageId: ghlMessageId }))
  return { webhookId: id, webhookPayload }
}

function placeOf(webhookId: string, locationId: string | null | undefined): SealedPlace {
  const scope = locationId == null ? 'app' : `location:${locationId}`
  return { scope, kind: 'webhook_event', id: webhookId }
}
