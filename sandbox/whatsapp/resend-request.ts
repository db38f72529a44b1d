// A companion got a message without content and asks its phone for it: the phone answers with the whole message.
import { proto } from '@whiskeysockets/baileys'
import { accountJid } from './directory.ts'
import { type HistoryDeps, webMessage } from './history.ts'
import type { PhoneLog } from './phone-log.ts'

const { PeerDataOperationRequestType } = proto.Message
const { Type: ProtocolType } = proto.Message.ProtocolMessage

/** Undefined when the request asks for something else, or for nothing that this phone has. */
export function resendAnswer(
  deps: HistoryDeps,
  requestId: string,
  request: proto.IMessage,
  log: PhoneLog,
): proto.IMessage | undefined {
  // Baileys packs its requests as copies of sent messages.
  const { protocolMessage } = request.deviceSentMessage?.message ?? request
  const asked = protocolMessage?.peerDataOperationRequestMessage?.placeholderMessageResendRequest ?? []
  const results = asked.flatMap(({ messageKey }) => {
    const entry = log.find(messageKey?.id ?? '')
    if (!entry) return []
    const chat = deps.directory.find(entry.chat)
    const web = webMessage(deps.directory, chat ? accountJid(chat, entry.addressing) : entry.chat, entry)
    return [
      {
        placeholderMessageResendResponse: { webMessageInfoBytes: proto.WebMessageInfo.encode(web).finish() },
      },
    ]
  })
  if (results.length === 0) return undefined
  return {
    protocolMessage: {
      type: ProtocolType.PEER_DATA_OPERATION_REQUEST_RESPONSE_MESSAGE,
      peerDataOperationRequestResponseMessage: {
        peerDataOperationRequestType: PeerDataOperationRequestType.PLACEHOLDER_MESSAGE_RESEND,
        stanzaId: requestId,
        peerDataOperationResult: results,
      },
    },
  }
}
