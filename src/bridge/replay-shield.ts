/**
 * The replay shield: GHL delivers again for days what we once refused, and a new installation or pairing can set a flood of
 * old messages free. What comes too late to be sent unasked is held: recorded, shown, sent or discarded by a person's word.
 *
 * A reply written while we were down for half an hour still goes out by itself, and so does one that reached us in time and
 * then waited for its number, however long. Pure.
 */
import type { MessageError, OutboundWork } from './storage/message-rows.ts'

const ACTION = 'Send it now with retry, or drop it with discard.'

/** Why a message that reaches us `now` is held; `undefined` when it may go. */
export function heldOnArrival(
  writtenAt: Date,
  now: Date,
  installedAt: Date,
  holdAfterMs: number,
): MessageError | undefined {
  if (now.getTime() - writtenAt.getTime() > holdAfterMs) {
    return {
      code: 'HELD_TOO_OLD',
      message: 'This message reached the bridge late and was held',
      action: ACTION,
    }
  }
  if (writtenAt < installedAt) {
    return {
      code: 'HELD_BEFORE_INSTALL',
      message: 'This message is older than the installation of the app and was held',
      action: ACTION,
    }
  }
  return undefined
}

/**
 * Why a message is held when it is its turn: it is older than the pairing of the number it would leave by, and reached us
 * only after that.
 */
export function heldByPairing(work: OutboundWork, pairedAt: Date | undefined): MessageError | undefined {
  if (work.isReleased || pairedAt === undefined) return undefined
  if (work.writtenAt >= pairedAt || work.row.createdAt < pairedAt) return undefined
  return {
    code: 'HELD_BEFORE_PAIRING',
    message: 'This message is older than the pairing of the WhatsApp number and was held',
    action: ACTION,
  }
}
