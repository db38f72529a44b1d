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
import { assertNever, GhlError, MediaError } from '../core/errors.ts'
import { type GhlContactId, parseMessageId } from '../core/ids.ts'
import type { Envelope, WaContent, WaMedia } from '../core/message.ts'
import { type ContactDeps, ghlContactOf } from './contacts.ts'
import type { GhlConversations, GhlFiling, WhatsAppNumbers } from './ports.ts'
import type { InboundWork, Job, MessageStore } from './storage.ts'

/** Past this age a message carries its own date, so that a backlog stands in the thread where it belongs. */
const BACKDATE_AFTER_MS = 5 * 60_000
/** Fetching a file is tried this often before the text goes without it. */
const MEDIA_ATTEMPTS = 6

export interface AcceptFromWhatsAppDeps {
  readonly messages: MessageStore
  /** Tells the worker that there is work. */
  readonly nudge: () => void
}

/**
 * Steps 3 and 4. Safe to call any number of times with the same message; when it resolves, the message is ours to
 * deliver and WhatsApp need not keep it.
 *
 * @throws {StoreError} `STORE_UNAVAILABLE`: call again, the journal still has it.
 */
export async function acceptFromWhatsApp(
  deps: AcceptFromWhatsAppDeps,
  envelope: Envelope,
): Promise<'enqueued' | 'duplicate'> {
  const outcome = await deps.messages.acceptInbound(envelope)
  if (outcome === 'enqueued') deps.nudge()
  return outcome
}

export interface DeliverToGhlDeps extends ContactDeps {
  readonly messages: MessageStore
  readonly conversations: GhlConversations
  readonly numbers: WhatsAppNumbers
  /** Runs it with all its calls to GHL behind those of live traffic. */
  readonly behindLive: <T>(act: () => Promise<T>) => Promise<T>
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
  const file = () => fileOnce(deps, work, job)
  const filing = await (work.envelope.isHistory === true ? deps.behindLive(file) : file())
  await deps.messages.recordFiled(work.row.id, filing)
}

/** What the person calls himself. The past knows it from his other messages: its first one is often ours. */
function nameOf({ envelope, contact }: InboundWork): string | undefined {
  if (envelope.isHistory === true) return contact.pushName
  return envelope.fromMe ? undefined : envelope.pushName
}

async function fileOnce(deps: DeliverToGhlDeps, work: InboundWork, job: Job): Promise<GhlFiling> {
  const name = nameOf(work)
  const contact = await ghlContactOf(deps, work.contact, name)
  try {
    return await fileFor(deps, work, job, contact)
  } catch (thrown) {
    if (!(thrown instanceof GhlError) || thrown.code !== 'GHL_CONTACT_NOT_FOUND') throw thrown
    // Merged or deleted in GHL: find the survivor by number and file there.
    await deps.contacts.unlinkGhl(work.row.locationId, contact)
    const survivor = await ghlContactOf(deps, { ...work.contact, ghlContactId: undefined }, name)
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
  const { text, attachments } = await readable(deps, envelope, ghlContactId, job.attempts)
  const isLate = deps.clock.nowMs() - envelope.sentAt.getTime() > BACKDATE_AFTER_MS
  return await deps.conversations.addInbound({
    locationId,
    ghlContactId,
    direction: envelope.fromMe ? 'outbound' : 'inbound',
    altId: waMessageId,
    text,
    attachments,
    ...((isLate || envelope.isHistory === true) && { sentAt: envelope.sentAt }),
  })
}

interface Readable {
  readonly text: string
  readonly attachments: readonly string[]
}

async function readable(
  deps: DeliverToGhlDeps,
  envelope: Envelope,
  contact: GhlContactId,
  attempts: number,
): Promise<Readable> {
  const content: WaContent = envelope.content
  switch (content.kind) {
    case 'text':
    case 'notice':
      return { text: content.text, attachments: [] }
    case 'media': {
      const caption = content.caption ?? ''
      try {
        const file = await deps.numbers.openMedia(envelope.sessionId, content.media)
        return {
          text: caption,
          attachments: [await deps.conversations.upload(envelope.locationId, contact, file)],
        }
      } catch (thrown) {
        if (!(thrown instanceof MediaError)) throw thrown
        if (thrown.disposition === 'retry' && attempts < MEDIA_ATTEMPTS) throw thrown
        // The file is lost; that something came, and its caption, are not.
        return {
          text: [caption, withoutFile(content.media, thrown)].filter(Boolean).join('\n\n'),
          attachments: [],
        }
      }
    }
    default:
      return assertNever(content)
  }
}

function withoutFile(media: WaMedia, error: MediaError): string {
  const what = media.fileName === undefined ? `a file (${media.mediaKind})` : `the file "${media.fileName}"`
  return `[The customer sent ${what}, but it could not be carried over: ${error.message}. It can be seen on the phone.]`
}
