/**
 * The customer's blue ticks, where a location wants them: what he wrote is marked read on WhatsApp when the agent has
 * answered, or has opened the conversation in GHL. What is owed stands in the store before anything is sent, so a restart
 * forgets nothing; without the setting nothing is ever owed, and what was owed when it is switched off is forgiven.
 */
import { type GhlContactId, type LocationId, type MessageId, parseSessionId } from '../core/ids.ts'
import type { WhatsAppNumbers } from './ports.ts'
import type { MessageStore } from './storage/messages.ts'
import type { Job } from './storage/outbox.ts'
import type { SettingsStore } from './storage/settings.ts'

export interface ReadStateDeps {
  readonly messages: MessageStore
  readonly settings: Pick<SettingsStore, 'read'>
  readonly nudge: () => void
}

/** The agent's message has left: he has read what stood in the conversation when he wrote it. */
export async function seenByAnswer(
  deps: ReadStateDeps,
  locationId: LocationId,
  answer: MessageId,
): Promise<void> {
  if (!(await deps.settings.read(locationId)).markRead) return
  await deps.messages.oweReads({ answeredBy: answer })
  deps.nudge()
}

/** Somebody of the team has opened the conversation. */
export async function seenInGhl(
  deps: ReadStateDeps,
  seen: { locationId: LocationId; ghlContactId: GhlContactId; until: Date },
): Promise<void> {
  if (!(await deps.settings.read(seen.locationId)).markRead) return
  await deps.messages.oweReads(seen)
  deps.nudge()
}

/**
 * Marks what a number owes, as a job. Repeatable.
 *
 * @throws {WhatsAppError} `WA_OFFLINE`.
 */
export async function markReadOnWhatsApp(
  deps: ReadStateDeps & { readonly numbers: Pick<WhatsAppNumbers, 'markRead'> },
  job: Job,
): Promise<void> {
  const sessionId = parseSessionId(job.subject)
  for (;;) {
    const owed = await deps.messages.findOwedReads(sessionId)
    if (owed === undefined || owed.messages.length === 0) return
    const { markRead } = await deps.settings.read(owed.locationId)
    if (markRead) await deps.numbers.markRead(sessionId, owed.messages)
    await deps.messages.settleReads(
      owed.messages.map(({ id }) => id),
      markRead,
    )
  }
}
