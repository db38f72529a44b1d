/**
 * Inbound, WhatsApp to GHL:
 *
 * 1. Journal: plaintext and stanza are committed with the ratchet step, before the receipt (whatsapp/journal.ts).
 * 2. Ignore on purpose, with a named reason (whatsapp/from-whatsapp.ts).
 * 3. Settle identity: LID and PN are one person; and
 * 4. in the same transaction dedupe, record, enqueue on the chat's lane: {@link acceptFromWhatsApp}.
 * 5. Worker: find or create the GHL contact, upload media, add the message: {@link deliverToGhl}.
 * 6. Record the pair (WhatsApp id, GHL id).
 *
 * What the business types on its own phone takes the same way, as `outbound`: GHL then only logs it (ghl.md 4.2).
 */
import type { Clock } from '../core/clock.ts'
import { BridgeError, GhlError, MediaError, WhatsAppError } from '../core/errors.ts'
import {
  type GhlContactId,
  isGroupJid,
  type LocationId,
  type MessageId,
  parseMessageId,
  type WaMessageId,
} from '../core/ids.ts'
import type { ContactCard, Envelope, IgnoreReason, MediaFile } from '../core/message.ts'
import { type ContactDeps, ghlContactOf } from './contacts.ts'
import { followSubject, type GroupDeps, inGroup, nameGroup, quotedAuthor } from './groups.ts'
import { labelled } from './label.ts'
import { linkLine } from './linked-files.ts'
import type { GhlConversations, GhlFiling, WhatsAppNumbers } from './ports.ts'
import { readable, type Subject, subjectOf, withoutFile } from './readable.ts'
import type { InboundWork } from './storage/message-rows.ts'
import type { MessageStore } from './storage/messages.ts'
import type { Job } from './storage/outbox.ts'
import type { SettingsStore } from './storage/settings.ts'
import { readCard } from './vcard.ts'

/** Past this age a message carries its own date, so that a backlog stands in the thread where it belongs. */
const BACKDATE_AFTER_MS = 5 * 60_000
/** Fetching a file is tried this often before the text goes without it. */
const MEDIA_ATTEMPTS = 6
/**
 * How long a message that cannot be read yet has before its placeholder is shown, for what GHL has it keeps for ever. Most
 * are sent again within a second; for answers to advertisements Baileys asks the phone, after two seconds.
 */
const PLACEHOLDER_GRACE_MS = 5_000
/** Cards of one message beyond these are only read out. */
const MAX_CARD_FILES = 20

export interface AcceptFromWhatsAppDeps {
  readonly messages: MessageStore
  readonly onIgnored: (reason: IgnoreReason) => void
  /** Tells the worker that there is work. */
  readonly nudge: () => void
  /** Ends the waiting of a location's lanes. */
  readonly wake: (location: LocationId) => Promise<void>
  /** Messages whose placeholders wait; of this process alone, for all that is lost with it is a moment. */
  readonly announced: Set<WaMessageId>
}

/**
 * Steps 3 and 4. Safe to call any number of times with the same message; when it resolves, the message is ours to
 * deliver and WhatsApp need not keep it.
 *
 * @param accept for what another engine received, where no journal has it.
 * @throws {StoreError} `STORE_UNAVAILABLE`: call again, the journal still has it.
 */
export async function acceptFromWhatsApp(
  deps: AcceptFromWhatsAppDeps,
  envelope: Envelope,
  accept: 'acceptInbound' | 'acceptForeign' = 'acceptInbound',
): Promise<'enqueued' | 'duplicate'> {
  const outcome = await deps.messages[accept](envelope)
  if (outcome === 'enqueued') {
    deps.nudge()
    await endAnnouncement(deps, envelope)
  } else if (envelope.fromMe && (await deps.messages.isOurs(envelope.sessionId, envelope.waMessageId))) {
    deps.onIgnored('own_echo')
  }
  return outcome
}

/** More are remembered at no time: a flood of unreadable messages is no reason to hold on to memory. */
const MAX_ANNOUNCED = 1_000

/** The chat of a placeholder waits for its message, and goes on when that has come. */
async function endAnnouncement(deps: AcceptFromWhatsAppDeps, envelope: Envelope): Promise<void> {
  const { announced } = deps
  if (envelope.content.kind === 'placeholder') {
    if (announced.size >= MAX_ANNOUNCED) announced.clear()
    announced.add(envelope.content.of)
  } else if (announced.delete(envelope.waMessageId)) await deps.wake(envelope.locationId)
}

export interface DeliverToGhlDeps extends ContactDeps, GroupDeps {
  readonly messages: MessageStore
  readonly conversations: GhlConversations
  readonly numbers: WhatsAppNumbers
  /** The address of a message's file at our own door. */
  readonly fileLink: (message: MessageId, fileName: string) => string
  /** Runs it with all its calls to GHL behind those of live traffic. */
  readonly behindLive: <T>(act: () => Promise<T>) => Promise<T>
  readonly settings: Pick<SettingsStore, 'read'>
  readonly clock: Clock
}

/**
 * Steps 5 and 6, for one job of the outbox. Repeatable: an earlier attempt that may have reached GHL is looked for by
 * WhatsApp id before anything is added.
 *
 * @throws {GhlError} as the client settles it. @throws {MediaError} `MEDIA_FETCH_FAILED` in the first attempts.
 */
export async function deliverToGhl(deps: DeliverToGhlDeps, job: Job): Promise<void> {
  const work = await deps.messages.findInboundWork(parseMessageId(job.subject))
  if (work === undefined || work.row.ghlMessageId !== undefined) return
  if (await isSuperseded(deps, work)) return
  const file = () => fileOnce(deps, work, job)
  const filing = await (work.envelope.isHistory === true ? deps.behindLive(file) : file())
  await deps.messages.recordFiled(work.row.id, filing)
}

/** What the person calls himself. The past knows it from his other messages: its first one is often ours. */
function nameOf({ envelope, contact }: InboundWork): string | undefined {
  if (envelope.isHistory === true) return contact.pushName
  return envelope.fromMe ? undefined : envelope.pushName
}

/**
 * True when the message that a placeholder stands for has come by itself; the placeholder is gone then.
 *
 * @throws {WhatsAppError} `WA_MESSAGE_PENDING` while it may still come before anybody needs to be told.
 */
async function isSuperseded(deps: DeliverToGhlDeps, { row, envelope }: InboundWork): Promise<boolean> {
  const { content } = envelope
  if (content.kind !== 'placeholder') return false
  const message = await deps.messages.findOriginal({ ...envelope, waMessageId: content.of })
  if (message !== undefined) return await deps.messages.dropPlaceholder(row.id)
  const leftMs = row.createdAt.getTime() + PLACEHOLDER_GRACE_MS - deps.clock.nowMs()
  // The row has the database's clock: where the two disagree, nobody waits.
  if (leftMs <= 0 || leftMs > PLACEHOLDER_GRACE_MS) return false
  throw new WhatsAppError('WA_MESSAGE_PENDING', 'The message may still come by itself', {
    retryAfterMs: leftMs,
  })
}

async function fileOnce(deps: DeliverToGhlDeps, work: InboundWork, job: Job): Promise<GhlFiling> {
  const isGroup = isGroupJid(work.envelope.chat)
  const isNew = work.contact.ghlContactId === undefined
  const name = isGroup && isNew ? await nameGroup(deps, work) : nameOf(work)
  const contact = await ghlContactOf(deps, work.contact, name)
  if (isGroup && !isNew) await followSubject(deps, work, contact)
  try {
    return await fileFor(deps, work, job, contact)
  } catch (thrown) {
    if (!(thrown instanceof GhlError) || thrown.code !== 'GHL_CONTACT_NOT_FOUND') throw thrown
    // Merged or deleted in GHL: find the survivor and file there.
    await deps.contacts.unlinkGhl(work.row.locationId, contact)
    const known = ((await deps.messages.findInboundWork(work.row.id)) ?? work).contact
    const unlinked = known.ghlContactId === contact ? { ...known, ghlContactId: undefined } : known
    const survivor = await ghlContactOf(deps, unlinked, isGroup ? await nameGroup(deps, work) : name)
    return await fileFor(deps, work, job, survivor)
  }
}

async function fileFor(
  deps: DeliverToGhlDeps,
  work: InboundWork,
  job: Job,
  ghlContactId: GhlContactId,
): Promise<GhlFiling> {
  const { envelope } = work
  const { locationId, waMessageId } = envelope
  if (job.mayHaveHappened) {
    const filed = await deps.conversations.findByAltId(locationId, ghlContactId, waMessageId, envelope.sentAt)
    if (filed !== undefined) return filed
  }
  const { text, attachments } = await prepared(deps, work, ghlContactId, job.attempts)
  const { label } = await deps.settings.read(locationId)
  const isLate = deps.clock.nowMs() - envelope.sentAt.getTime() > BACKDATE_AFTER_MS
  return await deps.conversations.addInbound({
    locationId,
    ghlContactId,
    direction: envelope.fromMe ? 'outbound' : 'inbound',
    altId: waMessageId,
    text: label ? labelled(inGroup(envelope, text), work.via) : inGroup(envelope, text),
    attachments,
    ...((isLate || envelope.isHistory === true) && { sentAt: envelope.sentAt }),
  })
}

interface Prepared {
  readonly text: string
  readonly attachments: readonly string[]
}

async function prepared(
  deps: DeliverToGhlDeps,
  { row, envelope }: InboundWork,
  contact: GhlContactId,
  attempts: number,
): Promise<Prepared> {
  const subject = await findSubject(deps, envelope)
  const text = readable(envelope, subject)
  const { content } = envelope
  if (content.kind === 'contacts')
    return { text, attachments: await uploadCards(deps, envelope, contact, content.cards) }
  if (content.kind !== 'media') return { text, attachments: [] }
  try {
    const file = await deps.numbers.openMedia(envelope.sessionId, content.media)
    try {
      return { text, attachments: [await deps.conversations.upload(envelope.locationId, contact, file)] }
    } catch (thrown) {
      if (!isNotForGhl(thrown)) throw thrown
      const line = linkLine(content.media, file.fileName, deps.fileLink(row.id, file.fileName))
      return { text: [text, line].filter(Boolean).join('\n\n'), attachments: [] }
    }
  } catch (thrown) {
    if (!(thrown instanceof MediaError)) throw thrown
    if (thrown.disposition === 'retry' && attempts < MEDIA_ATTEMPTS) throw thrown
    // The file is lost; that something came, and its caption, are not.
    return { text: withoutFile(envelope, thrown.message, subject), attachments: [] }
  }
}

/** Too large for GHL, or of a type it takes nowhere. */
const isNotForGhl = (thrown: unknown): boolean =>
  thrown instanceof MediaError &&
  (thrown.code === 'MEDIA_TOO_LARGE' || thrown.code === 'MEDIA_TYPE_UNSUPPORTED')

async function findSubject(deps: DeliverToGhlDeps, envelope: Envelope): Promise<Subject> {
  const waMessageId = subjectOf(envelope)
  const original = waMessageId && (await deps.messages.findOriginal({ ...envelope, waMessageId }))
  const isQuoted = waMessageId === envelope.context?.quoted?.of
  return { content: original?.content, author: isQuoted ? quotedAuthor(envelope, original) : undefined }
}

/** All that is on a card is in the text too, so a card that GHL does not take is let go. */
async function uploadCards(
  deps: DeliverToGhlDeps,
  { locationId }: Envelope,
  contact: GhlContactId,
  cards: readonly ContactCard[],
): Promise<readonly string[]> {
  const urls: string[] = []
  for (const card of cards.filter(({ vcard }) => vcard !== '').slice(0, MAX_CARD_FILES)) {
    try {
      urls.push(await deps.conversations.upload(locationId, contact, fileOf(card)))
    } catch (thrown) {
      if (!(thrown instanceof BridgeError) || thrown.disposition !== 'dead') throw thrown
    }
  }
  return urls
}

function fileOf({ name, vcard }: ContactCard): MediaFile {
  const bytes = new TextEncoder().encode(vcard)
  return {
    fileName: `${readCard(vcard).name ?? name ?? 'contact'}.vcf`,
    mimeType: 'text/vcard',
    bytes: once(bytes),
    sizeBytes: bytes.length,
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
