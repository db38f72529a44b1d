/**
 * Calls. They come as stanzas of their own and not as messages: an `offer` when it rings, then how it ended. A linked
 * device cannot answer, so it has one thing to tell, once: that somebody called, and what became of it. It is told under
 * an id made of the call's own, whichever of the closing stanzas comes first, and however often they come.
 */
import type { BinaryNode } from '@whiskeysockets/baileys'
import { LRUCache } from 'lru-cache'
import { findChatJid, isLidJid, isPnJid } from '../core/ids.ts'
import type { CallOutcome } from '../core/message.ts'
import { addressOf, type Converted, type Receiver } from './from-whatsapp.ts'
import { isMe, type Me } from './stanza.ts'
import { waIdOf } from './wa-id.ts'

/** A call that is over, or was taken elsewhere. */
export interface Call {
  readonly id: string
  /** The other side, as the stanza names it. */
  readonly from: string
  /** Who called. */
  readonly creator: string
  readonly callerPn: string | undefined
  readonly isGroup: boolean
  /** `undefined` when its beginning was not heard. */
  readonly isVideo: boolean | undefined
  readonly outcome: CallOutcome
  readonly at: Date
}

type Offer = Pick<Call, 'isVideo' | 'callerPn' | 'isGroup'>

/** Calls that ring at the same time on one number. */
const MAX_OFFERS = 100

export class Calls {
  readonly #offers = new LRUCache<string, Offer>({ max: MAX_OFFERS })

  /** Call for each raw call stanza: the call, when this stanza ends it. */
  take({ attrs, content }: BinaryNode): Call | undefined {
    const sign = Array.isArray(content) ? content[0] : undefined
    const id = sign?.attrs['call-id']
    if (sign === undefined || id === undefined || id === '') return undefined
    if (sign.tag === 'offer' || sign.tag === 'offer_notice') this.#offers.set(id, offerOf(sign))
    const outcome = outcomeOf(sign)
    if (outcome === undefined) return undefined
    const from = attrs['from'] ?? ''
    const { isVideo, callerPn, isGroup } = this.#offers.get(id) ?? { isVideo: undefined, ...offerFacts(sign) }
    return {
      id,
      from,
      creator: sign.attrs['call-creator'] ?? sign.attrs['from'] ?? from,
      callerPn,
      isGroup,
      isVideo,
      outcome,
      at: new Date((Number(attrs['t']) || Math.floor(Date.now() / 1_000)) * 1_000),
    }
  }
}

const offerFacts = ({ attrs }: BinaryNode) => ({
  callerPn: attrs['caller_pn'],
  isGroup: attrs['type'] === 'group' || attrs['group-jid'] !== undefined,
})

const offerOf = (sign: BinaryNode): Offer => ({
  ...offerFacts(sign),
  isVideo:
    sign.attrs['media'] === 'video' ||
    (Array.isArray(sign.content) && sign.content.some(({ tag }) => tag === 'video')),
})

/** `undefined` while the call goes on. @see whatsmeow's call events for the reasons (2026-08; observed, not documented) */
function outcomeOf({ tag, attrs }: BinaryNode): CallOutcome | undefined {
  const reason = attrs['reason'] ?? ''
  switch (tag) {
    case 'accept':
      return 'answered'
    case 'reject':
      return 'declined'
    case 'terminate':
      if (reason.startsWith('accepted')) return 'answered'
      return reason.startsWith('reject') ? 'declined' : 'missed'
    default:
      return undefined
  }
}

/** A call as a message of its chat. */
export function callEnvelope(receiver: Receiver, call: Call, me: Me): Converted {
  if (call.isGroup) return { ignored: 'group' }
  const creator = findChatJid(call.creator)
  const fromMe = isMe(me, creator)
  const remoteJid = fromMe ? findChatJid(call.from) : (creator ?? findChatJid(call.from))
  const address = addressOf({ remoteJid: remoteJid ?? '', id: call.id }, me)
  if ('ignored' in address) return address
  const { chat } = address
  const callerPn = findChatJid(call.callerPn)
  const alt = !fromMe && isLidJid(chat) && callerPn !== undefined && isPnJid(callerPn) ? callerPn : undefined
  return {
    envelope: {
      ...receiver,
      waMessageId: waIdOf(`call-${call.id}`),
      chat,
      ...(alt !== undefined && { chatAlt: alt }),
      author: fromMe ? (creator ?? '') : chat,
      fromMe,
      sentAt: call.at,
      content: {
        kind: 'call',
        outcome: call.outcome,
        ...(call.isVideo !== undefined && { isVideo: call.isVideo }),
      },
    },
  }
}
