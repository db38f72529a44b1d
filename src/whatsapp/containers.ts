/** Messages inside messages: what is in the innermost, and what the way to it says. */
import type { proto } from '@whiskeysockets/baileys'

/** The name of a kind of message: a field of WhatsApp's Message, as Baileys' schema has it. */
export type MessageField = keyof proto.IMessage

/** Fields that hold another message and nothing else to show. */
export const CONTAINERS = [
  'deviceSentMessage',
  'ephemeralMessage',
  'viewOnceMessage',
  'viewOnceMessageV2',
  'viewOnceMessageV2Extension',
  'documentWithCaptionMessage',
  'editedMessage',
  'groupMentionedMessage',
  'botInvokeMessage',
  'lottieStickerMessage',
  'eventCoverImage',
  'statusMentionMessage',
  'pollCreationOptionImageMessage',
  'associatedChildMessage',
  'groupStatusMentionMessage',
  'pollCreationMessageV4',
  'statusAddYours',
  'groupStatusMessage',
  'groupStatusMessageV2',
  'limitSharingMessage',
  'botTaskMessage',
  'questionMessage',
  'botForwardedMessage',
  'questionReplyMessage',
  'commentMessage',
] as const satisfies readonly MessageField[]
export type ContainerField = (typeof CONTAINERS)[number]

/** Fields that travel beside a message and say nothing to a reader. */
const BESIDE: ReadonlySet<MessageField> = new Set([
  'messageContextInfo',
  'senderKeyDistributionMessage',
  'fastRatchetKeySenderKeyDistributionMessage',
])

/** Containers in containers end somewhere; a malicious one is cut off here. */
const MAX_DEPTH = 16

export interface Opened {
  /** The innermost message. */
  readonly message: proto.IMessage
  /** What it is; `undefined` when it is nothing that this version of Baileys knows. */
  readonly field: MessageField | undefined
  /** The containers around it, outermost first. */
  readonly containers: readonly ContainerField[]
  /** The contexts on the way, innermost first. */
  readonly contexts: readonly proto.IMessageContextInfo[]
  /** There is more inside than anybody needs: not followed. */
  readonly isCutOff: boolean
}

const isContainer = (field: MessageField | undefined): field is ContainerField =>
  (CONTAINERS as readonly (MessageField | undefined)[]).includes(field)

export function open(outermost: proto.IMessage): Opened {
  const containers: ContainerField[] = []
  const contexts: proto.IMessageContextInfo[] = []
  let message = outermost
  for (;;) {
    if (message.messageContextInfo) contexts.unshift(message.messageContextInfo)
    const field = fieldOf(message)
    const inner = isContainer(field) ? message[field]?.message : undefined
    const isCutOff = containers.length === MAX_DEPTH
    if (!isContainer(field) || typeof inner !== 'object' || inner === null || isCutOff)
      return { message, field, containers, contexts, isCutOff }
    containers.push(field)
    message = inner
  }
}

/** The field that says what a message is. */
function fieldOf(message: proto.IMessage): MessageField | undefined {
  const fields = Object.keys(message) as MessageField[] // by the schema; Baileys drops what it does not know
  const present = fields.filter((field) => message[field] !== null && message[field] !== undefined)
  return (
    present.find((field) => !BESIDE.has(field)) ?? present.find((field) => field !== 'messageContextInfo')
  )
}
