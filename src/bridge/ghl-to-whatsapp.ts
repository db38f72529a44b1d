/**
 * Outbound, GHL to WhatsApp:
 *
 * 1. Signature over the raw bytes, shape (http/routes/webhooks.ts, ghl/webhook-signature.ts, ghl/payloads.ts), known
 *    installation and provider.
 * 2. One transaction: dedupe on GHL's messageId, record, enqueue: {@link acceptFromGhl}. Only then the 200. What comes too
 *    late to be sent unasked is recorded as held instead (replay-shield.ts).
 * 3. Worker: which session, which chat: {@link deliverToWhatsApp}. A number that is not ready parks, it does not fail.
 * 4. The WhatsApp id is stored since step 2; the composed message is stored with it, then sent. A repeat sends the same
 *    bytes under the same id, which WhatsApp shows once.
 * 5. The server's ack seen on the wire means sent.
 * 6. Receipts move the GHL status forward, never back (receipts.ts).
 */
import type { Clock } from '../core/clock.ts'
import { assertNever, MediaError, WhatsAppError } from '../core/errors.ts'
import { type ChatJid, isGroupJid, parseMessageId, type SessionId } from '../core/ids.ts'
import type { AgentMessage, OutboundPart, Quote } from '../core/message.ts'
import { type AddressDeps, chatOf } from './contacts.ts'
import { requireGroupsOn } from './groups.ts'
import type { InstallationStore } from './installations.ts'
import type { GhlAttachments, WaOutgoing, WhatsAppNumbers } from './ports.ts'
import { seenByAnswer } from './read-state.ts'
import { heldByPairing, heldOnArrival } from './replay-shield.ts'
import type { OutboundWork } from './storage/message-rows.ts'
import type { MessageStore } from './storage/messages.ts'
import type { Job } from './storage/outbox.ts'
import type { SessionRow, SessionStore } from './storage/sessions.ts'
import type { SettingsStore } from './storage/settings.ts'

/** Failures of a file after which its caption goes without it. */
const PATIENCE_OF_WORDS = 2
/** Fetching a file is tried this often, which takes about two minutes. */
const MEDIA_ATTEMPTS = 8

export interface AcceptFromGhlDeps {
  readonly messages: MessageStore
  readonly installations: InstallationStore
  readonly settings: Pick<SettingsStore, 'read'>
  readonly numbers: Pick<WhatsAppNumbers, 'newMessageId'>
  readonly nudge: () => void
  readonly clock: Clock
}

export type AcceptedFromGhl =
  | 'enqueued'
  | 'duplicate'
  /** Recorded, and waits for a person's word. */
  | 'held'
  | { readonly ignored: 'unknown_location' | 'empty' }

/**
 * Steps 1 (the last part) and 2. Safe to call any number of times with the same message. Touches only the store, so the
 * webhook may answer as soon as this resolves.
 *
 * @throws {StoreError} `STORE_UNAVAILABLE`: answer 503, GHL will deliver again.
 */
export async function acceptFromGhl(
  deps: AcceptFromGhlDeps,
  message: AgentMessage,
  parts: readonly OutboundPart[],
): Promise<AcceptedFromGhl> {
  const installation = await deps.installations.findByLocation(message.locationId)
  if (installation === undefined || installation.status === 'uninstalled')
    return { ignored: 'unknown_location' }
  if (parts.length === 0) return { ignored: 'empty' }
  const now = new Date(deps.clock.nowMs())
  const writtenAt = message.writtenAt ?? now
  const { holdAfterMinutes } = await deps.settings.read(message.locationId)
  const outcome = await deps.messages.acceptOutbound(
    { ...message, writtenAt },
    parts.map((part) => ({ part, waMessageId: deps.numbers.newMessageId() })),
    heldOnArrival(writtenAt, now, installation.installedAt, holdAfterMinutes * 60_000),
  )
  if (outcome === 'enqueued') deps.nudge()
  return outcome
}

export interface DeliverToWhatsAppDeps extends AddressDeps {
  readonly messages: MessageStore
  readonly sessions: SessionStore
  readonly settings: Pick<SettingsStore, 'read'>
  readonly attachments: GhlAttachments
  readonly nudge: () => void
}

/**
 * Steps 3 to 5, for one job of the outbox.
 *
 * @throws {WhatsAppError} and {MediaError}: the outbox settles them by disposition.
 */
export async function deliverToWhatsApp(deps: DeliverToWhatsAppDeps, job: Job): Promise<void> {
  const work = await deps.messages.findOutboundWork(parseMessageId(job.subject))
  if (work === undefined || isSettled(work)) return
  try {
    await deliver(deps, work, job)
  } catch (thrown) {
    if (!(thrown instanceof MediaError)) throw thrown
    if (!wordsMustGoAlone(work, thrown, job)) throw atLast(thrown, job)
    await deps.messages.splitCaption(work.row.id, deps.numbers.newMessageId())
    // The job's message is the words now; the file follows behind all others, and fails there if it must.
    await deliverToWhatsApp(deps, job)
  }
}

async function deliver(deps: DeliverToWhatsAppDeps, work: OutboundWork, job: Job): Promise<void> {
  if (work.row.waMessageId === undefined) return
  const reserved = reservedBy(work, job) ?? (await reserve(deps, work))
  if (reserved === undefined) return
  const { sessionId, chat, composed } = reserved
  await deps.numbers.send(sessionId, chat, work.row.waMessageId, composed)
  await seenByAnswer(deps, work.row.locationId, work.row.id)
  await deps.messages.advance(sessionId, [work.row.waMessageId], 'sent')
  deps.nudge()
}

/** What an agent wrote under a file does not wait for a file that cannot be had, or not soon. */
const wordsMustGoAlone = ({ part }: OutboundWork, error: MediaError, { attempts }: Job): boolean =>
  part.kind === 'attachment' &&
  part.caption !== undefined &&
  (error.disposition === 'dead' || attempts >= PATIENCE_OF_WORDS)

/** A file that its server does not give holds up the chat: some minutes, not hours. */
function atLast(error: MediaError, { attempts }: Job): MediaError {
  if (error.code !== 'MEDIA_FETCH_FAILED' || attempts < MEDIA_ATTEMPTS) return error
  return new MediaError('MEDIA_GONE', 'The attachment could not be fetched from its address', {
    action: 'Attach the file again.',
    cause: error,
  })
}

const isSettled = ({ row }: OutboundWork): boolean => row.state !== 'queued' && row.state !== 'sending'

interface Reserved {
  readonly sessionId: SessionId
  readonly chat: ChatJid
  readonly composed: Uint8Array
}

/**
 * What an earlier attempt stored. It binds only when that attempt may have reached WhatsApp: a message that certainly
 * was not sent may still leave by a better number.
 */
function reservedBy(work: OutboundWork, job: Job): Reserved | undefined {
  const { sessionId, chat } = work.row
  if (!job.mayHaveHappened || sessionId === undefined || chat === undefined || work.composed === undefined)
    return undefined
  return { sessionId, chat, composed: work.composed }
}

/** `undefined` when the message is held: it is older than the pairing of the number it would leave by. */
async function reserve(deps: DeliverToWhatsAppDeps, work: OutboundWork): Promise<Reserved | undefined> {
  const session = await chooseSession(deps, work)
  const { sessionId } = session
  const reason = heldByPairing(work, session.pairedAt)
  if (reason !== undefined) {
    await deps.messages.hold(work.row.id, reason)
    return undefined
  }
  const chat = await chatOf(deps, session, work)
  await requireGroupsOn(deps.settings, work.row.locationId, chat)
  const quote = await quoteOf(deps, work, sessionId)
  const outgoing = await open(deps, work.part, quote)
  const composed = await deps.numbers.compose(sessionId, chat, outgoing)
  await deps.messages.reserve(work.row.id, { sessionId, chat, composed })
  return { sessionId, chat, composed }
}

async function chooseSession(deps: DeliverToWhatsAppDeps, work: OutboundWork): Promise<SessionRow> {
  const rows = await deps.sessions.list(work.row.locationId)
  const { pinnedSessionId } = await deps.settings.read(work.row.locationId)
  const last = work.contact?.lastSessionId
  const chat = work.contact?.chat
  // A group hears only from its members.
  const isGroup = chat !== undefined && isGroupJid(chat)
  const wishes = [isGroup ? undefined : (pinnedSessionId ?? undefined), last]
  const chosen = preferredSession(rows, wishes, (row) => deps.numbers.isReady(row.sessionId))
  if (chosen === undefined) {
    throw new WhatsAppError('WA_NO_SESSION', 'This location has no WhatsApp number', {
      action: 'Pair a number; the message goes out by itself then.',
    })
  }
  if (!deps.numbers.isReady(chosen.sessionId)) {
    throw new WhatsAppError('WA_OFFLINE', 'The WhatsApp number is not connected', {
      action: 'Look at the number; the message goes out by itself when it is ready.',
      details: { sessionId: chosen.sessionId },
    })
  }
  return chosen
}

/**
 * The first of the wished ones (pinned by the location, written to last by the person) that there is; else the default one;
 * else the newest that is ready. A number that was logged out steps back behind any that is paired.
 */
export function preferredSession(
  rows: readonly SessionRow[],
  wishes: readonly (SessionId | undefined)[],
  isReady: (row: SessionRow) => boolean,
): SessionRow | undefined {
  const paired = rows.filter((row) => row.status !== 'logged_out' && row.phoneNumber !== undefined)
  const candidates = paired.length > 0 ? paired : rows
  return (
    wishes.map((wish) => candidates.find((row) => row.sessionId === wish)).find((row) => row !== undefined) ??
    candidates.find((row) => row.isDefault && isReady(row)) ??
    candidates.findLast(isReady) ??
    candidates.at(-1)
  )
}

/** `undefined` when nothing is answered, the original is not known, or another number of the location has it. */
async function quoteOf(
  { messages }: DeliverToWhatsAppDeps,
  { row, part }: OutboundWork,
  sessionId: SessionId,
): Promise<Quote | undefined> {
  if (part.replyTo === undefined) return undefined
  const found = await messages.findQuoted(row.id, part.replyTo)
  return found?.sessionId === sessionId ? found.quote : undefined
}

async function open(
  deps: DeliverToWhatsAppDeps,
  part: OutboundPart,
  quote: Quote | undefined,
): Promise<WaOutgoing> {
  const answering = quote && { quote }
  switch (part.kind) {
    case 'text':
      return { kind: 'text', text: part.text, ...answering }
    case 'attachment': {
      const file = await deps.attachments.open(part.url)
      return {
        kind: 'file',
        file,
        ...answering,
        ...(part.caption !== undefined && { caption: part.caption }),
      }
    }
    default:
      return assertNever(part)
  }
}
