// USync: which devices and which LID belong to a user, and is this number on WhatsApp at all.
import type { BinaryNode } from '@whiskeysockets/baileys'
import { type Account, accountJid, addressingOf, type Directory } from './directory.ts'
import { child, children, iqResult, stanza, textOf, unixSeconds } from './stanzas.ts'

const KNOWN_PROTOCOLS = new Set(['devices', 'lid', 'contact'])

function devicesStanza(account: Account): BinaryNode {
  const devices = [...account.devices.values()].map(({ id, keyIndex }) =>
    // Clients ignore companions without key index.
    stanza('device', { id: String(id), 'key-index': id === 0 ? undefined : String(keyIndex) }),
  )
  return stanza('devices', {}, [
    stanza('device-list', {}, devices),
    stanza('key-index-list', { ts: unixSeconds() }),
  ])
}

function userStanza(directory: Directory, protocols: Set<string>, asked: BinaryNode): BinaryNode {
  const phone = textOf(child(asked, 'contact')).replace(/^\+/, '')
  const named = asked.attrs['jid'] ?? phone
  const found = directory.find(named)
  // Who hides the number is not to be found by it.
  const account = found?.hidesNumber && addressingOf(named) === 'pn' ? undefined : found
  const jid = asked.attrs['jid'] ?? (account ? accountJid(account, 'pn') : `${phone}@s.whatsapp.net`)
  const answers: BinaryNode[] = []
  if (protocols.has('contact')) {
    answers.push(stanza('contact', { type: account ? 'in' : 'out' }, Buffer.from(`+${phone}`)))
  }
  if (account && protocols.has('devices')) answers.push(devicesStanza(account))
  // The network answers PN -> LID, never the reverse.
  if (account && protocols.has('lid') && addressingOf(jid) === 'pn') {
    answers.push(stanza('lid', { val: accountJid(account, 'lid') }))
  }
  return stanza('user', { jid }, answers)
}

export function answerUsync(
  directory: Directory,
  request: BinaryNode,
  onUnknownProtocol: (name: string) => void,
): BinaryNode {
  const usync = child(request, 'usync')
  const protocols = new Set(children(child(usync, 'query')).map((protocol) => protocol.tag))
  for (const protocol of protocols) if (!KNOWN_PROTOCOLS.has(protocol)) onUnknownProtocol(protocol)
  const users = children(child(usync, 'list'), 'user')
  return iqResult(request, [
    stanza('usync', { ...usync?.attrs }, [
      stanza(
        'result',
        {},
        [...protocols].map((protocol) => stanza(protocol)),
      ),
      stanza(
        'list',
        {},
        users.map((user) => userStanza(directory, protocols, user)),
      ),
    ]),
  ])
}
