// The word that a LID and a phone number are the same person.
import { type BinaryNode, S_WHATSAPP_NET } from '@whiskeysockets/baileys'
import { type Account, accountJid } from './directory.ts'
import { stanza, unixSeconds } from './stanzas.ts'

export function numberRevealed(account: Account, id: string): BinaryNode {
  const profile = { jid: accountJid(account, 'lid'), added_profiles: [{ pn: accountJid(account, 'pn') }] }
  return stanza('notification', { from: S_WHATSAPP_NET, type: 'mex', id, t: unixSeconds() }, [
    stanza(
      'update',
      { op_name: 'NotificationLinkedProfilesUpdates' },
      Buffer.from(JSON.stringify({ data: { xwa2_notify_linked_profiles: profile } })),
    ),
  ])
}
