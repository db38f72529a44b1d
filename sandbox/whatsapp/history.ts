import { promisify } from 'node:util'
import { deflate } from 'node:zlib'
import { proto } from '@whiskeysockets/baileys'
import { type Account, accountJid } from './directory.ts'

const compress = promisify(deflate)

/** The first history notification after pairing, with the chunk inside: no chats, the account's own LID. */
export async function historyMessage(account: Account): Promise<proto.IMessage> {
  const syncType = proto.HistorySync.HistorySyncType.INITIAL_BOOTSTRAP
  const chunk = proto.HistorySync.encode({
    syncType,
    chunkOrder: 1,
    progress: 100,
    conversations: [],
    pushnames: [{ id: accountJid(account, 'pn'), pushname: account.name }],
    phoneNumberToLidMappings: [{ pnJid: accountJid(account, 'pn'), lidJid: accountJid(account, 'lid') }],
  }).finish()
  return {
    protocolMessage: {
      type: proto.Message.ProtocolMessage.Type.HISTORY_SYNC_NOTIFICATION,
      historySyncNotification: {
        syncType: proto.Message.HistorySyncType.INITIAL_BOOTSTRAP,
        initialHistBootstrapInlinePayload: await compress(chunk),
        chunkOrder: 1,
        progress: 100,
      },
    },
  }
}
