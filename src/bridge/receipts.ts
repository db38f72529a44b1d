/** WhatsApp's receipts become GHL's message status: forward only, never invented. */
import { InvariantError } from '../core/errors.ts'
import { parseGhlMessageId, parseLocationId, type SessionId, type WaMessageId } from '../core/ids.ts'
import type { GhlConversations } from './ports.ts'
import type { MessageError } from './storage/message-rows.ts'
import type { MessageStore } from './storage/messages.ts'
import type { Job } from './storage/outbox.ts'

export interface ReceiptDeps {
  readonly messages: MessageStore
  readonly nudge: () => void
}

/**
 * Records what WhatsApp says became of messages we sent. Repeated, late and out-of-order receipts change nothing.
 *
 * @throws {StoreError} `STORE_UNAVAILABLE`: call again.
 */
export async function acceptReceipt(
  deps: ReceiptDeps,
  session: SessionId,
  ids: readonly WaMessageId[],
  state: 'sent' | 'delivered' | 'read',
): Promise<void> {
  if ((await deps.messages.advance(session, ids, state)) > 0) deps.nudge()
}

export interface StatusDeps {
  readonly messages: MessageStore
  readonly conversations: GhlConversations
}

/**
 * Tells GHL the furthest state a message has reached by now; runs as a job, so several receipts cost one call.
 *
 * @throws {GhlError} `GHL_STATUS_TOO_EARLY` in the first seconds; otherwise as the client settles it.
 */
export async function pushStatusToGhl(deps: StatusDeps, job: Job): Promise<void> {
  const [location, message] = job.subject.split('/')
  if (location === undefined || message === undefined)
    throw new InvariantError('A status job without its message')
  const locationId = parseLocationId(location)
  const ghlMessageId = parseGhlMessageId(message)
  const now = await deps.messages.findGhlStatus(locationId, ghlMessageId)
  // GHL itself shows a fresh message as pending: telling it so would be a call for nothing.
  if (now === undefined || now.status === 'pending') return
  await deps.conversations.setStatus({
    locationId,
    ghlMessageId,
    status: now.status,
    ...(now.error && { error: { code: now.error.code, type: 'whatsapp', message: sentence(now.error) } }),
  })
  if (now.status === 'failed') await deps.messages.recordToldFailed(locationId, ghlMessageId)
}

/** An error as a person reads it. */
export const sentence = (error: MessageError): string =>
  error.action === undefined ? error.message : `${error.message}. ${error.action}`
