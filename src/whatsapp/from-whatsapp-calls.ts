/** Calls that stand in the chat as messages; those that ring come as stanzas of their own (calls.ts). */
import { proto } from '@whiskeysockets/baileys'
import { lines } from '../bridge/sentences.ts'
import type { CallOutcome } from '../core/message.ts'
import { type Content, linesOf, notice, positiveOf } from './content.ts'
import { momentOf } from './from-whatsapp-polls.ts'

/** The invitation that opens a call; it says nothing of how it ended. */
export const fromCall = (): Content => ({ kind: 'call', outcome: 'unknown' })

export function fromCallLog(log: proto.Message.ICallLogMessage | null | undefined): Content {
  const seconds = positiveOf(log?.durationSecs)
  return {
    kind: 'call',
    outcome: outcomeOf(log?.callOutcome),
    isVideo: log?.isVideo === true,
    ...(seconds !== undefined && { seconds }),
  }
}

function outcomeOf(outcome: proto.Message.CallLogMessage.CallOutcome | null | undefined): CallOutcome {
  const { CallOutcome: Outcome } = proto.Message.CallLogMessage
  switch (outcome) {
    case Outcome.CONNECTED:
    case Outcome.ACCEPTED_ELSEWHERE:
    case Outcome.ONGOING:
      return 'answered'
    case Outcome.MISSED:
    case Outcome.SILENCED_BY_DND:
    case Outcome.SILENCED_UNKNOWN_CALLER:
      return 'missed'
    case Outcome.REJECTED:
      return 'declined'
    case Outcome.FAILED:
      return 'failed'
    case null:
    case undefined:
      return 'unknown'
  }
}

export function fromScheduledCall(
  field: 'scheduledCallCreationMessage' | 'scheduledCallEditMessage' | 'bcallMessage',
  message: proto.IMessage,
): Content {
  switch (field) {
    case 'scheduledCallCreationMessage': {
      const call = message.scheduledCallCreationMessage
      return notice(
        field,
        linesOf(lines.did('Planned a call'), call?.title, momentOf(call?.scheduledTimestampMs)),
      )
    }
    case 'scheduledCallEditMessage':
      return notice(field, lines.did('Canceled the planned call.'))
    case 'bcallMessage':
      return notice(
        field,
        linesOf(lines.other('an invitation to a live call'), message.bcallMessage?.caption),
      )
  }
}
