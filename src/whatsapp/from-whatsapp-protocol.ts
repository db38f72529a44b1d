/** What is about another message, and talk between devices. */
import { proto } from '@whiskeysockets/baileys'
import { gist } from '../bridge/readable.ts'
import { lines } from '../bridge/sentences.ts'
import { type Content, ignored, lineOf, notice } from './content.ts'
import type { Unsealed } from './message-secret.ts'
import { waIdOf } from './wa-id.ts'

type Convert = (message: proto.IMessage) => Content

export function fromReaction(reaction: proto.Message.IReactionMessage | null | undefined): Content {
  const id = reaction?.key?.id
  if (!id) return ignored('protocol')
  return { kind: 'reaction', of: waIdOf(id), emoji: lineOf(reaction.text) ?? '' }
}

export function fromProtocol(
  protocol: proto.Message.IProtocolMessage | null | undefined,
  convert: Convert,
): Content {
  const { Type } = proto.Message.ProtocolMessage
  switch (protocol?.type ?? Type.REVOKE) {
    case Type.REVOKE:
      // The number of this kind is 0, so an empty one looks the same.
      return protocol?.key?.id ? { kind: 'revoke', of: waIdOf(protocol.key.id) } : ignored('protocol')
    case Type.MESSAGE_EDIT:
      return edit(protocol?.key?.id, protocol?.editedMessage, convert)
    case Type.SHARE_PHONE_NUMBER:
      return notice('sharePhoneNumber', lines.did('Shared the phone number.'))
    case Type.STATUS_MENTION_MESSAGE:
      return notice('statusMentionMessage', lines.did('Mentioned you in a status.'))
    case Type.EPHEMERAL_SETTING:
    case Type.EPHEMERAL_SYNC_RESPONSE:
    case Type.HISTORY_SYNC_NOTIFICATION:
    case Type.APP_STATE_SYNC_KEY_SHARE:
    case Type.APP_STATE_SYNC_KEY_REQUEST:
    case Type.MSG_FANOUT_BACKFILL_REQUEST:
    case Type.INITIAL_SECURITY_NOTIFICATION_SETTING_SYNC:
    case Type.APP_STATE_FATAL_EXCEPTION_NOTIFICATION:
    case Type.PEER_DATA_OPERATION_REQUEST_MESSAGE:
    case Type.PEER_DATA_OPERATION_REQUEST_RESPONSE_MESSAGE:
    case Type.REQUEST_WELCOME_MESSAGE:
    case Type.BOT_FEEDBACK_MESSAGE:
    case Type.MEDIA_NOTIFY_MESSAGE:
    case Type.CLOUD_API_THREAD_CONTROL_NOTIFICATION:
    case Type.LID_MIGRATION_MAPPING_SYNC:
    case Type.REMINDER_MESSAGE:
    case Type.BOT_MEMU_ONBOARDING_MESSAGE:
    case Type.STOP_GENERATION_MESSAGE:
    case Type.LIMIT_SHARING:
    case Type.AI_PSI_METADATA:
    case Type.AI_QUERY_FANOUT:
    case Type.GROUP_MEMBER_LABEL_CHANGE:
      return ignored('protocol')
    default:
      // A number that WhatsApp has added since; nothing that people write comes this way.
      return ignored('protocol')
  }
}

function edit(
  id: string | null | undefined,
  edited: proto.IMessage | null | undefined,
  convert: Convert,
): Content {
  const content = edited ? convert(edited) : ignored('empty')
  if ('ignored' in content) return notice('edit', lines.did('Edited a message.'))
  if (content.kind === 'edit') return content
  return id
    ? { kind: 'edit', of: waIdOf(id), content }
    : notice('edit', `${lines.edited(undefined)}\n${gist(content)}`)
}

/** What was encrypted apart, as far as it could be opened. */
export function fromSealed(
  field: 'encReactionMessage' | 'encEventResponseMessage' | 'secretEncryptedMessage' | 'encCommentMessage',
  message: proto.IMessage,
  unsealed: Unsealed | undefined,
  convert: Convert,
): Content {
  switch (field) {
    case 'encReactionMessage':
      return unsealedReaction(unsealed)
    case 'encEventResponseMessage':
      return eventResponse(unsealed)
    case 'secretEncryptedMessage':
      return unsealedEdit(message.secretEncryptedMessage, unsealed, convert)
    case 'encCommentMessage':
      return notice(field, lines.other('a comment'))
  }
}

function unsealedReaction(unsealed: Unsealed | undefined): Content {
  const reaction = decoded(unsealed, (bytes) => proto.Message.ReactionMessage.decode(bytes))
  if (unsealed === undefined || reaction === undefined) return notice('reaction', lines.other('a reaction'))
  return { kind: 'reaction', of: unsealed.of, emoji: lineOf(reaction.text) ?? '' }
}

function unsealedEdit(
  sealed: proto.Message.ISecretEncryptedMessage | null | undefined,
  unsealed: Unsealed | undefined,
  convert: Convert,
): Content {
  const { SecretEncType } = proto.Message.SecretEncryptedMessage
  if (sealed?.secretEncType === SecretEncType.UNKNOWN)
    return notice('secretEncryptedMessage', lines.unknown(undefined))
  const edited = decoded(unsealed, (bytes) => proto.Message.decode(bytes))
  if (edited === undefined)
    return notice(
      'edit',
      lines.did(`Edited ${gist(unsealed?.original?.content)}. The new words can be seen on the phone.`),
    )
  return edit(unsealed?.of, edited, convert)
}

function eventResponse(unsealed: Unsealed | undefined): Content {
  const { EventResponseType } = proto.Message.EventResponseMessage
  const answer = decoded(unsealed, (bytes) => proto.Message.EventResponseMessage.decode(bytes))
  const original = unsealed?.original?.content
  const event = original?.kind === 'notice' ? `an event: ${gist(original)}` : 'an event'
  const said = {
    [EventResponseType.UNKNOWN]: `Answered ${event}`,
    [EventResponseType.GOING]: `Is coming to ${event}`,
    [EventResponseType.NOT_GOING]: `Is not coming to ${event}`,
    [EventResponseType.MAYBE]: `May be coming to ${event}`,
  }[answer?.response ?? EventResponseType.UNKNOWN]
  return notice(
    'eventResponse',
    lines.did(answer === undefined ? `${said}. It can be seen on the phone.` : said),
  )
}

function decoded<Kind>(
  unsealed: Unsealed | undefined,
  decode: (bytes: Uint8Array) => Kind,
): Kind | undefined {
  try {
    return unsealed?.plain && decode(unsealed.plain)
  } catch {
    return undefined
  }
}
