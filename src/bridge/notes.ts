/** What the people in a GHL conversation are told about a message that died, and that it came through after all. */
import { assertNever, GhlError } from '../core/errors.ts'
import { parseMessageId } from '../core/ids.ts'
import type { GhlConversations } from './ports.ts'
import { gist, shortened } from './readable.ts'
import { sentence } from './receipts.ts'
import type { NoteWork } from './storage/message-rows.ts'
import type { MessageStore } from './storage/messages.ts'
import type { Job } from './storage/outbox.ts'

export interface NoteDeps {
  readonly messages: MessageStore
  readonly conversations: GhlConversations
}

/**
 * Writes the note that a message is due, as a job on a lane of its own. An earlier attempt that may have reached GHL is
 * looked for by its words before anything is added. A note that GHL refuses is left out: there is nobody to tell.
 *
 * @throws {GhlError} as the client settles it, when trying again can help.
 */
export async function postNote(deps: NoteDeps, job: Job): Promise<void> {
  const work = await deps.messages.findNoteWork(parseMessageId(job.subject))
  if (work === undefined) return
  const note = { locationId: work.row.locationId, ghlContactId: work.ghlContactId, text: noteText(work) }
  try {
    const stands = job.mayHaveHappened && (await deps.conversations.hasNote(note, work.row.createdAt))
    if (!stands) await deps.conversations.addNote(note)
  } catch (thrown) {
    if (isRefused(thrown)) return
    throw thrown
  }
  await deps.messages.recordNote(work.row.id, work.says)
}

const isRefused = (thrown: unknown): boolean =>
  thrown instanceof GhlError && (thrown.disposition === 'dead' || thrown.code === 'GHL_CONTACT_NOT_FOUND')

/** The note in plain words. */
export function noteText(work: NoteWork): string {
  const what = quote(work.content)
  switch (work.says) {
    case 'died':
      return [DIED[work.origin](what), ...(work.row.error ? [withStop(sentence(work.row.error))] : [])].join(
        ' ',
      )
    case 'recovered':
      return work.origin === 'ghl'
        ? `WhatsApp bridge: ${what} was sent on WhatsApp after all.`
        : `WhatsApp bridge: ${what}, which could not be brought here at first, is in this conversation now.`
    default:
      return assertNever(work.says)
  }
}

const DIED = {
  ghl: (what: string) => `WhatsApp bridge: ${what} was not sent.`,
  customer: (what: string) =>
    `WhatsApp bridge: ${what} from this contact could not be brought here. It can be seen on the phone.`,
  phone: (what: string) =>
    `WhatsApp bridge: ${what}, typed on the phone, could not be brought here. It can be seen on the phone.`,
} as const

const withStop = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`)

/** An agent's file goes by the name that GHL shows it under: which of several is meant is seen from that. */
function quote(content: NoteWork['content']): string {
  if (content.kind !== 'media' && content.kind !== 'attachment')
    return content.kind === 'text' || content.kind === 'notice'
      ? `the message “${shortened(content.text)}”`
      : `the message: ${gist(content)}`
  const file = content.kind === 'media' ? content.media.mediaKind : nameIn(content.url)
  return content.caption === undefined
    ? `a file (${file})`
    : `a file (${file}) “${shortened(content.caption)}”`
}

function nameIn(url: string): string {
  const last = URL.parse(url)?.pathname.split('/').at(-1) ?? ''
  return shortened(decoded(last)) || 'attachment'
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
