// Calls as companions hear of them: an offer, and how it ended. Nothing is said on them.
import { randomBytes } from 'node:crypto'
import type { BinaryNode } from '@whiskeysockets/baileys'
import { type Account, type Addressing, accountJid, knownJid } from './directory.ts'
import { type Chat, isGroup } from './groups.ts'
import { stanza, unixSeconds } from './stanzas.ts'

/** `answered` and `rejected` are done on the phone of the one who is called; `cancelled` by the caller. */
export type CallOutcome = 'ringing' | 'missed' | 'answered' | 'rejected' | 'cancelled'

export interface OutgoingCall {
  readonly video?: boolean
  readonly outcome?: CallOutcome
  readonly addressing?: Addressing
}

/** Tag and reason of what follows the offer. */
const ENDINGS: Record<CallOutcome, readonly (readonly [tag: string, reason?: string])[]> = {
  ringing: [],
  missed: [['terminate', 'timeout']],
  answered: [['accept'], ['terminate', 'accepted_elsewhere']],
  rejected: [['reject'], ['terminate', 'rejected_elsewhere']],
  cancelled: [['terminate']],
}

export function newCallId(): string {
  return randomBytes(16).toString('hex').toUpperCase()
}

/** The stanzas for one device of the one who is called, or of a member of the group. */
export function callStanzas(caller: Account, callee: Chat, callId: string, call: OutgoingCall): BinaryNode[] {
  const { video = false, outcome = 'missed', addressing = 'lid' } = call
  const from = accountJid(caller, isGroup(callee) ? callee.addressing : addressing)
  const about = { 'call-id': callId, 'call-creator': from }
  const offer = stanza(
    'offer',
    {
      ...about,
      caller_pn: from.endsWith('@lid') ? knownJid(caller, 'pn') : undefined,
      ...(isGroup(callee) && { type: 'group', 'group-jid': callee.jid }),
    },
    [stanza('audio', { enc: 'opus', rate: '16000' }), ...(video ? [stanza('video', { enc: 'vp8' })] : [])],
  )
  const endings = ENDINGS[outcome].map(([tag, reason]) => stanza(tag, { ...about, reason }))
  return [offer, ...endings].map((what) =>
    stanza('call', { from, id: newCallId(), t: unixSeconds(), notify: caller.name }, [what]),
  )
}
