/**
 * The groups of one connection: who is in them, and what happens in them.
 *
 * Their members are asked for once per group and connection; each notification about a group forgets what was known of it,
 * so a send costs no question as long as nothing changes. Notifications of an absence come before anything can be sent.
 */
import type { BinaryNode, GroupMetadata } from '@whiskeysockets/baileys'
import { LRUCache } from 'lru-cache'
import { type BridgeError, WhatsAppError } from '../core/errors.ts'
import { type ChatJid, findChatJid, type GroupJid, isGroupJid, isPnJid, phoneOfPn } from '../core/ids.ts'
import { notSent } from './sends.ts'
import { isMe, type Me } from './stanza.ts'

/** Member lists that are kept; a large group's is some 100 kB. */
const KEPT_GROUPS = 200

export interface GroupEvent {
  readonly group: GroupJid
  /** The notification's own id. */
  readonly id: string
  readonly at: Date
  /** A line for people. */
  readonly text: string
  /** The group's new name. */
  readonly subject?: string
}

export class Groups {
  readonly #ask: (group: GroupJid) => Promise<GroupMetadata>
  readonly #known = new LRUCache<GroupJid, GroupMetadata>({ max: KEPT_GROUPS })

  constructor(ask: (group: GroupJid) => Promise<GroupMetadata>) {
    this.#ask = ask
  }

  cached(group: string): GroupMetadata | undefined {
    return isGroupJid(group) ? this.#known.get(group) : undefined
  }

  forget(group: string): void {
    if (isGroupJid(group)) this.#known.delete(group)
  }

  /** @throws {WhatsAppError} `WA_NOT_IN_GROUP`, or that WhatsApp could not be asked. */
  async find(group: GroupJid): Promise<GroupMetadata> {
    const known = this.#known.get(group)
    if (known !== undefined) return known
    const metadata = await this.#ask(group).catch((cause: unknown) => {
      throw refusalOf(cause)
    })
    this.#known.set(group, metadata)
    return metadata
  }

  /**
   * Everybody whose devices get a message to the group.
   *
   * @throws {WhatsAppError} `WA_NOT_IN_GROUP`, `WA_GROUP_ADMINS_ONLY`, or that WhatsApp could not be asked.
   */
  async membersFor(group: GroupJid, me: Me): Promise<readonly string[]> {
    const { participants, announce } = await this.find(group)
    const own = participants.find(({ id }) => isMe(me, findChatJid(id)))
    if (own === undefined) throw notInGroup()
    if (announce === true && !own.admin) {
      throw new WhatsAppError('WA_GROUP_ADMINS_ONLY', 'Only admins can write in this WhatsApp group', {
        action: 'Make the number an admin on the phone, or ask an admin to let everybody write.',
      })
    }
    return participants.map(({ id }) => id)
  }
}

/** The question's answer as an error: 403 is no member, 404 no such group (observed). */
function refusalOf(cause: unknown): BridgeError {
  const { data, output } = cause as { data?: unknown; output?: { statusCode?: number } } // Boom, or nothing of it
  const code = typeof data === 'number' ? data : output?.statusCode
  return code === 401 || code === 403 || code === 404 || code === 410 ? notInGroup() : notSent(cause)
}

const notInGroup = (): WhatsAppError =>
  new WhatsAppError('WA_NOT_IN_GROUP', 'This number is not a member of the WhatsApp group any more', {
    action: 'Have the number added to the group again, then send it again.',
  })

/** What a notification says happened in a group; `undefined` for what a reader need not know. */
export function groupEventOf(stanza: BinaryNode, me: Me): GroupEvent | undefined {
  const { attrs, content } = stanza
  const group = findChatJid(attrs['from'])
  const [what] = Array.isArray(content) ? content : []
  if (group === undefined || !isGroupJid(group) || what === undefined) return undefined
  const line = lineOf(what, attrs, me)
  if (line === undefined) return undefined
  const subject = what.tag === 'subject' ? what.attrs['subject'] : undefined
  return {
    group,
    id: attrs['id'] ?? '',
    at: new Date((Number(attrs['t']) || Math.floor(Date.now() / 1_000)) * 1_000),
    text: `[${line}]`,
    ...(subject !== undefined && { subject }),
  }
}

function lineOf(what: BinaryNode, attrs: BinaryNode['attrs'], me: Me): string | undefined {
  const actor = personOf(attrs['participant'], attrs['participant_pn'], me, attrs['notify'])
  const people = Array.isArray(what.content) ? what.content.filter(({ tag }) => tag === 'participant') : []
  const who = people.map((each) => personOf(each.attrs['jid'], each.attrs['phone_number'], me))
  const isUs = who.includes(US)
  const byThemselves = people.every((each) => sameUser(each.attrs['jid'], attrs['participant']))
  switch (what.tag) {
    case 'subject':
      return `${actor} changed the name of the group to “${what.attrs['subject'] ?? ''}”.`
    case 'add':
      if (isUs) return 'This number was added to the group.'
      return byThemselves ? `${actor} joined the group.` : `${actor} added ${listOf(who)} to the group.`
    case 'remove':
    case 'leave':
      if (isUs) {
        const how = byThemselves ? 'left the group' : 'was removed from the group'
        return `This number ${how}. What is written here does not reach it any more.`
      }
      return byThemselves ? `${actor} left the group.` : `${actor} removed ${listOf(who)} from the group.`
    case 'delete':
      return 'The group was closed. What is written here does not reach it any more.'
    default:
      return undefined
  }
}

const US = 'this number'

function personOf(jid: string | undefined, pn: string | undefined, me: Me, name?: string): string {
  const forms = [findChatJid(jid), findChatJid(pn)].filter((form): form is ChatJid => form !== undefined)
  if (forms.some((form) => isMe(me, form))) return US
  const number = forms.find(isPnJid)
  return name ?? (number === undefined ? 'someone' : phoneOfPn(number))
}

const sameUser = (one: string | undefined, other: string | undefined): boolean =>
  findChatJid(one) !== undefined && findChatJid(one) === findChatJid(other)

function listOf(people: readonly string[]): string {
  const shown = people.slice(0, 5)
  const more = people.length - shown.length
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ')
}
