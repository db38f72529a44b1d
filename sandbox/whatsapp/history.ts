// Pieces of a phone's history as its companions get them: one peer message each, with the piece inside.
import { promisify } from 'node:util'
import { deflate } from 'node:zlib'
import { proto } from '@whiskeysockets/baileys'
import { type Account, accountJid, type Directory } from './directory.ts'
import type { PhoneLog, PhoneMessage } from './phone-log.ts'

const compress = promisify(deflate)

/** `HistorySync` and its notification number these types alike. */
const { HistorySyncType } = proto.HistorySync
const { PeerDataOperationRequestType } = proto.Message

/**
 * What a piece is for: after pairing, pushed by the phone, or asked for. An asked one answers the request with this
 * stanza id.
 */
export type HistoryPiece =
  | { readonly kind: 'bootstrap' | 'recent' }
  | { readonly kind: 'onDemand'; readonly requestId: string }

const SYNC_TYPES = {
  bootstrap: HistorySyncType.INITIAL_BOOTSTRAP,
  recent: HistorySyncType.RECENT,
  onDemand: HistorySyncType.ON_DEMAND,
} as const

export interface HistoryDeps {
  readonly account: Account
  readonly directory: Directory
}

/** The messages stand in their chats, newest first, and name no other form of an address than their chat does. */
export async function historyMessage(
  { account, directory }: HistoryDeps,
  piece: HistoryPiece,
  messages: readonly PhoneMessage[],
): Promise<proto.IMessage> {
  const syncType = SYNC_TYPES[piece.kind]
  const chats = Map.groupBy(messages, ({ chat, addressing }) => {
    const other = directory.find(chat)
    return other ? accountJid(other, addressing) : chat
  })
  const chunk = proto.HistorySync.encode({
    syncType,
    chunkOrder: 1,
    progress: 100,
    conversations: [...chats].map(([id, ofChat]) => ({
      id,
      messages: ofChat.toReversed().map((entry) => ({ message: webMessage(directory, id, entry) })),
    })),
    pushnames: [{ id: accountJid(account, 'pn'), pushname: account.name }],
    phoneNumberToLidMappings: [{ pnJid: accountJid(account, 'pn'), lidJid: accountJid(account, 'lid') }],
  }).finish()
  return {
    protocolMessage: {
      type: proto.Message.ProtocolMessage.Type.HISTORY_SYNC_NOTIFICATION,
      historySyncNotification: {
        syncType: syncType as number, // alike, as said above
        initialHistBootstrapInlinePayload: await compress(chunk),
        chunkOrder: 1,
        progress: 100,
        ...(piece.kind === 'onDemand' && { peerDataRequestSessionId: piece.requestId }),
      },
    },
  }
}

export function webMessage(directory: Directory, chat: string, entry: PhoneMessage): proto.IWebMessageInfo {
  const { id, fromMe, message, receivedAt, from, addressing } = entry
  const author = chat.endsWith('@g.us') && !fromMe ? directory.find(from) : undefined
  const participant = author ? { participant: accountJid(author, addressing) } : {}
  return {
    key: { remoteJid: chat, fromMe, id, ...participant },
    ...participant,
    message,
    messageTimestamp: Math.floor(receivedAt.getTime() / 1000),
  }
}

/** What a companion asks its phone for: so many messages of a chat, the last ones before the one it names. */
export function requestedHistory(
  request: proto.IMessage,
  log: PhoneLog,
  directory: Directory,
): PhoneMessage[] | undefined {
  // Baileys packs its requests as copies of sent messages.
  const { protocolMessage } = request.deviceSentMessage?.message ?? request
  const operation = protocolMessage?.peerDataOperationRequestMessage
  const asked = operation?.historySyncOnDemandRequest
  if (operation?.peerDataOperationRequestType !== PeerDataOperationRequestType.HISTORY_SYNC_ON_DEMAND)
    return undefined
  const chat = directory.find(asked?.chatJid ?? '')
  const ofChat = log.messages.filter((message) => message.chat === chat?.phone)
  const anchor = ofChat.findIndex(({ id }) => id === asked?.oldestMsgId)
  return ofChat.slice(0, Math.max(anchor, 0)).slice(-(asked?.onDemandMsgCount ?? 0))
}
