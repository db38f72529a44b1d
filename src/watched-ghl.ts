/** GHL as the rest of the bridge meets it, and beside that what each meeting says of the set-up. */
import { createHmac } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { type Evidence, PIECES, type Piece } from './bridge/evidence.ts'
import type { GhlConversations } from './bridge/ports.ts'
import { GhlError } from './core/errors.ts'
import type { Ghl } from './ghl/ghl.ts'

export type WatchedGhl = Pick<Ghl, 'openPageUser' | 'parseDelivery' | 'conversations'> & {
  /** @param target which of our two URLs GHL posted to. */
  verifyWebhook(raw: Buffer, headers: IncomingHttpHeaders, target: 'events' | 'delivery'): boolean
}

const NO_ACCESS = 'CONVERSATIONS_MSG_PROVIDER_NO_ACCESS'

/**
 * Names the values of each piece's settings without telling them.
 *
 * @param key keys the hash, so that a value cannot be found by trying.
 */
export function settingsOf(
  values: Readonly<Record<Piece, readonly (string | undefined)[]>>,
  key: string,
): Record<Piece, string> {
  const named = PIECES.map((piece) => {
    const hash = createHmac('sha256', key).update(JSON.stringify([piece, values[piece]]))
    return [piece, hash.digest('base64url').slice(0, 22)]
  })
  return Object.fromEntries(named) as Record<Piece, string> // every piece was named
}

export function watchedGhl(ghl: Ghl, evidence: Evidence): WatchedGhl {
  return {
    openPageUser(payload) {
      const user = ghl.openPageUser(payload)
      if (user === undefined) evidence.bad('sso', 'refused')
      else evidence.good('sso')
      return user
    },
    verifyWebhook(raw, headers, target) {
      const isGhls = ghl.verifyWebhook(raw, headers)
      // Whoever does not even sign is not GHL, and says nothing of its key.
      if (!isGhls && headers['x-ghl-signature'] !== undefined) evidence.bad(target, 'signature')
      if (isGhls && target === 'events') evidence.good('events')
      return isGhls
    },
    parseDelivery(json) {
      const delivery = ghl.parseDelivery(json)
      if ('ignored' in delivery && delivery.ignored === 'foreign_provider')
        evidence.bad('delivery', 'foreign_provider')
      else evidence.good('delivery')
      return delivery
    },
    conversations: watchedConversations(ghl.conversations, evidence),
  }
}

function watchedConversations(conversations: GhlConversations, evidence: Evidence): GhlConversations {
  return {
    ...conversations,
    addInbound: async (message) => {
      try {
        const added = await conversations.addInbound(message)
        evidence.good('provider')
        return added
      } catch (thrown) {
        if (thrown instanceof GhlError && thrown.details['canonicalCode'] === NO_ACCESS)
          evidence.bad('provider', 'refused')
        throw thrown
      }
    },
  }
}
