/** WhatsApp message ids as the wire has them: chosen by the sender's app, so by anybody. */
import { createHash } from 'node:crypto'
import { parseWaMessageId, type WaMessageId } from '../core/ids.ts'

/**
 * Any id of the wire as one that can be stored and shown. What does not print is replaced by a digest, always the same
 * one, so that a message is neither lost nor taken for another; a receipt for it is then found by the same digest.
 */
export function waIdOf(raw: string): WaMessageId {
  try {
    return parseWaMessageId(raw)
  } catch {
    return parseWaMessageId(`odd-${createHash('sha256').update(raw).digest('base64url')}`)
  }
}

/** Under which a placeholder is filed: its message keeps its own id and comes after it as a message of its own. */
export const placeholderIdOf = (id: WaMessageId): WaMessageId => waIdOf(`${id}.placeholder`)
