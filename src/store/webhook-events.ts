import { z } from 'zod'
import type { WebhookEventStore } from '../bridge/installations.ts'
import type { Database } from './database.ts'
import type { Seal } from './seal.ts'

const Recorded = z.enum(['recorded', 'duplicate'])

export function createWebhookEventStore(deps: { database: Database; seal: Seal }): WebhookEventStore {
  const { database, seal } = deps
  return {
    async record({ webhookId, type, locationId, payload }) {
      const scope = locationId === undefined ? 'app' : `location:${locationId}`
      const place = { scope, kind: 'webhook_event', id: webhookId }
      const answer = await database.call('record_webhook_event', {
        webhookId,
        type,
        locationId,
        payload: seal.seal(place, JSON.stringify(payload)),
      })
      return Recorded.parse(answer)
    },
  }
}
