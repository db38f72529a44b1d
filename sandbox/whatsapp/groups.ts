// Groups: who is in them, how they are addressed, and the words in which the server tells their members about it.
// Members are accounts; a group addressed by LID tells numbers only of those who do not hide theirs.
import { randomInt, randomUUID } from 'node:crypto'
import type { BinaryNode } from '@whiskeysockets/baileys'
import { type Account, type Addressing, accountJid, knownJid } from './directory.ts'
import { SandboxError } from './errors.ts'
import type { Mailboxes } from './mailboxes.ts'
import { child, iqError, iqResult, stanza, unixSeconds } from './stanzas.ts'

export interface Group {
  readonly jid: string
  readonly addressing: Addressing
  readonly creator: Account
  readonly createdAt: Date
  readonly members: Set<Account>
  subject: string
  subjectAt: Date
  subjectBy: Account
}

/** Where a message belongs: one other account, or a group. */
export type Chat = Account | Group

export function isGroup(chat: Chat): chat is Group {
  return 'jid' in chat
}

/** How a test names a chat: a phone number, or a group's JID. */
export function chatName(chat: Chat): string {
  return isGroup(chat) ? chat.jid : chat.phone
}

export interface NewGroup {
  readonly subject: string
  readonly creator: Account
  readonly members: readonly Account[]
  readonly addressing?: Addressing
}

function seconds(date: Date): string {
  return String(Math.floor(date.getTime() / 1000))
}

function participantStanza(group: Group, account: Account): BinaryNode {
  const { addressing } = group
  return stanza('participant', {
    jid: accountJid(account, addressing),
    phone_number: addressing === 'lid' ? knownJid(account, 'pn') : undefined,
    lid: addressing === 'pn' ? accountJid(account, 'lid') : undefined,
    type: account === group.creator ? 'superadmin' : undefined,
  })
}

function groupStanza(group: Group): BinaryNode {
  const { addressing, creator, subjectBy } = group
  return stanza(
    'group',
    {
      id: group.jid.split('@')[0],
      addressing_mode: addressing,
      subject: group.subject,
      s_t: seconds(group.subjectAt),
      s_o: accountJid(subjectBy, addressing),
      creation: seconds(group.createdAt),
      creator: accountJid(creator, addressing),
      creator_pn: addressing === 'lid' ? knownJid(creator, 'pn') : undefined,
      size: String(group.members.size),
    },
    [...group.members].map((account) => participantStanza(group, account)),
  )
}

/** The member behind a stanza of a group, in both forms as far as they may be told. */
export function participantAttributes(group: Group, jid: string, account: Account) {
  return group.addressing === 'lid'
    ? { participant: jid, participant_pn: knownJid(account, 'pn'), addressing_mode: 'lid' }
    : { participant: jid, participant_lid: accountJid(account, 'lid'), addressing_mode: 'pn' }
}

export class Groups {
  readonly #mailboxes: Mailboxes
  readonly #byJid = new Map<string, Group>()

  constructor(mailboxes: Mailboxes) {
    this.#mailboxes = mailboxes
  }

  find(jid: string): Group | undefined {
    return this.#byJid.get(jid)
  }

  /** @throws {SandboxError} `GROUP_UNKNOWN` */
  get(jid: string): Group {
    const group = this.find(jid)
    if (!group) throw new SandboxError('GROUP_UNKNOWN', 'no group has this JID; create it first')
    return group
  }

  create({ subject, creator, members, addressing = 'lid' }: NewGroup): Group {
    const jid = `120363${String(randomInt(10 ** 12)).padStart(12, '0')}@g.us`
    const createdAt = new Date()
    const born = { jid, addressing, creator, createdAt, subject, subjectAt: createdAt, subjectBy: creator }
    const group: Group = { ...born, members: new Set([creator, ...members]) }
    this.#byJid.set(jid, group)
    this.#tell(group, creator, stanza('create', { type: 'new' }, [groupStanza(group)]))
    return group
  }

  rename(group: Group, by: Account, subject: string): void {
    Object.assign(group, { subject, subjectBy: by, subjectAt: new Date() })
    this.#tell(group, by, stanza('subject', { subject, s_t: seconds(group.subjectAt) }))
  }

  add(group: Group, by: Account, account: Account): void {
    group.members.add(account)
    this.#tell(group, by, stanza('add', {}, [participantStanza(group, account)]))
  }

  /** A member that removes itself leaves. Whoever goes still hears of it. */
  remove(group: Group, by: Account, account: Account): void {
    const removal = stanza('remove', {}, [participantStanza(group, account)])
    this.#tell(group, by, removal)
    group.members.delete(account)
  }

  /** Answers `w:g2 get`; only members learn anything. */
  answer(asker: Account, request: BinaryNode): BinaryNode {
    if (child(request, 'participating')) {
      const own = [...this.#byJid.values()].filter(({ members }) => members.has(asker))
      return iqResult(request, [stanza('groups', {}, own.map(groupStanza))])
    }
    const group = this.find(request.attrs['to'] ?? '')
    if (!group) return iqError(request, 404, 'item-not-found')
    if (!group.members.has(asker)) return iqError(request, 403, 'forbidden')
    return iqResult(request, [groupStanza(group)])
  }

  #tell(group: Group, by: Account, what: BinaryNode): void {
    const news = stanza(
      'notification',
      {
        from: group.jid,
        type: 'w:gp2',
        id: randomUUID(),
        t: unixSeconds(),
        notify: by.name,
        ...participantAttributes(group, accountJid(by, group.addressing), by),
      },
      [what],
    )
    for (const account of group.members) {
      for (const deviceId of account.devices.keys()) this.#mailboxes.of({ account, deviceId }).post(news)
    }
  }
}
