// Pieces of a phone's history as its companions get them: one peer message each, with the piece inside.
import { promisify } from 'node:util'
import { deflate } from 'node:zlib'
import { proto } from '@whiskeysockets/baileys'
import { type Account, accountJid, type Directory } from './directory.ts'
import type { Groups } from './groups.ts'
import type { PhoneLog, PhoneMessage } from './phone-log.ts'

const compress = promisify(deflate)

/** `HistorySync` and its notification number these types alike. */
const { HistorySyncType } = proto.HistorySync
const { PeerDataOperationRequestType } = proto.Message

/** A companion gets this many messages of each chat at once, and the rest behind. */
const BOOTSTRAP_PER_CHAT = 5
const CHUNK_MESSAGES = 50
/** What is older comes as FULL, which clients take only if they ask for everything. */
const RECENT_DAYS = 90
const DAY_MS = 86_400_000

/** One chunk of the history, and how far the whole of its type has come with it. */
export interface HistoryPiece {
  readonly kind: keyof typeof SYNC_TYPES
  readonly messages: readonly PhoneMessage[]
  /** From 1, within its type. */
  readonly chunkOrder?: number
  /** Per cent. */
  readonly progress?: number
  /** Stanza id of the request that an `onDemand` piece answers. */
  readonly requestId?: string
}

const SYNC_TYPES = {
  bootstrap: HistorySyncType.INITIAL_BOOTSTRAP,
  recent: HistorySyncType.RECENT,
  full: HistorySyncType.FULL,
  pushNames: HistorySyncType.PUSH_NAME,
  onDemand: HistorySyncType.ON_DEMAND,
} as const

/** What a phone gives a companion it has just linked: the newest of each chat, names, then the past, newest first. */
export function pairingPieces(messages: readonly PhoneMessage[], now: Date): HistoryPiece[] {
  const byChat = Map.groupBy(messages, ({ chat }) => chat)
  const first = new Set([...byChat.values()].flatMap((ofChat) => ofChat.slice(-BOOTSTRAP_PER_CHAT)))
  const rest = messages.filter((message) => !first.has(message))
  const recentFrom = now.getTime() - RECENT_DAYS * DAY_MS
  const recent = rest.filter(({ receivedAt }) => receivedAt.getTime() >= recentFrom)
  const full = rest.filter(({ receivedAt }) => receivedAt.getTime() < recentFrom)
  return [
    { kind: 'bootstrap', messages: messages.filter((message) => first.has(message)) },
    { kind: 'pushNames', messages },
    ...chunks('recent', recent),
    ...(full.length > 0 ? chunks('full', full) : []),
  ]
}

/** At least one chunk, so that the companion hears of the end. */
function chunks(kind: 'recent' | 'full', messages: readonly PhoneMessage[]): HistoryPiece[] {
  const count = Math.max(1, Math.ceil(messages.length / CHUNK_MESSAGES))
  return Array.from({ length: count }, (_, index) => {
    const end = messages.length - index * CHUNK_MESSAGES
    return {
      kind,
      messages: messages.slice(Math.max(0, end - CHUNK_MESSAGES), end),
      chunkOrder: index + 1,
      progress: Math.round((100 * (index + 1)) / count),
    }
  })
}

export interface HistoryDeps {
  readonly account: Account
  readonly directory: Directory
  readonly groups: Groups
}

/** The messages stand in their chats, newest first, and name no other form of an address than their chat does. */
export async function historyMessage(deps: HistoryDeps, piece: HistoryPiece): Promise<proto.IMessage> {
  const { kind, chunkOrder = 1, progress = 100, requestId } = piece
  const syncType = SYNC_TYPES[kind]
  const content = kind === 'pushNames' ? {} : { conversations: conversations(deps, piece.messages) }
  const chunk = proto.HistorySync.encode({
    ...{ syncType, chunkOrder, progress, ...content },
    pushnames: pushNames(deps, kind === 'pushNames' ? piece.messages : []),
    phoneNumberToLidMappings: mappings(deps, kind === 'bootstrap' ? piece.messages : []),
  }).finish()
  return {
    protocolMessage: {
      type: proto.Message.ProtocolMessage.Type.HISTORY_SYNC_NOTIFICATION,
      historySyncNotification: {
        syncType: syncType as number, // alike, as said above
        initialHistBootstrapInlinePayload: await compress(chunk),
        chunkOrder,
        progress,
        ...(requestId !== undefined && { peerDataRequestSessionId: requestId }),
      },
    },
  }
}

function chatJidOf({ directory }: HistoryDeps, { chat, addressing }: PhoneMessage): string {
  const other = directory.find(chat)
  return other ? accountJid(other, addressing) : chat
}

function conversations(deps: HistoryDeps, messages: readonly PhoneMessage[]): proto.IConversation[] {
  const chats = Map.groupBy(messages, (message) => chatJidOf(deps, message))
  return [...chats].map(([id, ofChat]) => {
    const subject = deps.groups.find(id)?.subject
    return {
      id,
      ...(subject !== undefined && { name: subject }),
      messages: ofChat.toReversed().map((entry) => ({ message: webMessage(deps.directory, id, entry) })),
    }
  })
}

/** Everybody who said something, and the owner. */
function authors({ account, directory }: HistoryDeps, messages: readonly PhoneMessage[]): Account[] {
  const others = messages.flatMap(({ from, chat }) => [directory.find(from), directory.find(chat)])
  return [...new Set([account, ...others])].filter((author) => author !== undefined)
}

function pushNames(deps: HistoryDeps, messages: readonly PhoneMessage[]): proto.IPushname[] {
  return authors(deps, messages).map((author) => ({
    id: author === deps.account ? accountJid(author, 'pn') : accountJid(author, 'lid'),
    pushname: author.name,
  }))
}

function mappings(deps: HistoryDeps, messages: readonly PhoneMessage[]): proto.IPhoneNumberToLIDMapping[] {
  return authors(deps, messages)
    .filter(({ hidesNumber }) => !hidesNumber)
    .map((author) => ({ pnJid: accountJid(author, 'pn'), lidJid: accountJid(author, 'lid') }))
}

export function webMessage(directory: Directory, chat: string, entry: PhoneMessage): proto.IWebMessageInfo {
  const { id, fromMe, message, receivedAt, from, addressing } = entry
  const author = fromMe ? undefined : directory.find(from)
  const inGroup = author && chat.endsWith('@g.us')
  const participant = inGroup ? { participant: accountJid(author, addressing) } : {}
  return {
    ...(author && { pushName: author.name }),
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
  const jid = asked?.chatJid ?? ''
  const name = directory.find(jid)?.phone ?? jid
  const ofChat = log.messages.filter(({ chat }) => chat === name)
  const anchor = ofChat.findIndex(({ id }) => id === asked?.oldestMsgId)
  return ofChat.slice(0, Math.max(anchor, 0)).slice(-(asked?.onDemandMsgCount ?? 0))
}
