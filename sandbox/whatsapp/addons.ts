// Additions that only the members of a chat can read although they name a message: votes of a poll and answers to an
// event, encrypted under the secret that came with it. The inverse of Baileys' decryptPollVote.
import { randomBytes } from 'node:crypto'
import { aesEncryptGCM, decryptPollVote, hmacSign, proto } from '@whiskeysockets/baileys'
import { type Account, accountJid } from './directory.ts'
import { sha256 } from './media-crypto.ts'

export interface Addition {
  /** Id of the poll or event. */
  readonly id: string
  readonly secret: Uint8Array
  readonly creatorJid: string
  readonly senderJid: string
}

function encrypt({ id, secret, creatorJid, senderJid }: Addition, use: string, plaintext: Uint8Array) {
  const purpose = Buffer.concat([Buffer.from(`${id}${creatorJid}${senderJid}${use}`), Buffer.of(1)])
  const key = hmacSign(purpose, hmacSign(secret, new Uint8Array(32), 'sha256'), 'sha256')
  const encIv = randomBytes(12)
  const encPayload = aesEncryptGCM(plaintext, key, encIv, Buffer.from(`${id}\u0000${senderJid}`))
  return { encPayload, encIv }
}

/** A vote names the options by their SHA-256. */
export function encryptVote(addition: Addition, options: readonly string[]): proto.Message.IPollEncValue {
  const selectedOptions = options.map((option) => sha256(Buffer.from(option)))
  return encrypt(addition, 'Poll Vote', proto.Message.PollVoteMessage.encode({ selectedOptions }).finish())
}

export function encryptEventReply(
  addition: Addition,
  response: proto.Message.EventResponseMessage.EventResponseType,
) {
  const reply = { response, timestampMs: Date.now() }
  return encrypt(addition, 'Event Response', proto.Message.EventResponseMessage.encode(reply).finish())
}

const FORMS = ['lid', 'pn'] as const

/** The options a vote names, or undefined when it does not fit the poll. */
export function openVote(
  poll: proto.IMessage,
  pollId: string,
  vote: proto.Message.IPollEncValue,
  { creator, voter }: { creator: Account; voter: Account },
): string[] | undefined {
  const pollEncKey = poll.messageContextInfo?.messageSecret
  const creation = poll.pollCreationMessage ?? poll.pollCreationMessageV2 ?? poll.pollCreationMessageV3
  if (!pollEncKey || !creation) return undefined
  for (const form of FORMS) {
    const pollCreatorJid = accountJid(creator, form)
    const voterJid = accountJid(voter, form)
    try {
      const context = { pollCreatorJid, pollMsgId: pollId, pollEncKey, voterJid }
      const chosen = decryptPollVote(vote, context).selectedOptions.map((hash) => hexOf(hash))
      const names = creation.options?.map(({ optionName }) => optionName ?? '') ?? []
      return names.filter((name) => chosen.includes(hexOf(sha256(Buffer.from(name)))))
    } catch {
      // Encrypted for the other form of the addresses.
    }
  }
  return undefined
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
