/** Which handler does which kind of job, and what is told when one is given up. */
import type { BridgeError } from '../core/errors.ts'
import { payContact } from './contacts.ts'
import { type DeliverToWhatsAppDeps, deliverToWhatsApp } from './ghl-to-whatsapp.ts'
import { type NoteDeps, postNote } from './notes.ts'
import { markReadOnWhatsApp } from './read-state.ts'
import { pushStatusToGhl, type StatusDeps } from './receipts.ts'
import type { Job, JobKind } from './storage/outbox.ts'
import { type DeliverToGhlDeps, deliverToGhl } from './whatsapp-to-ghl.ts'

export type JobDeps = DeliverToGhlDeps & DeliverToWhatsAppDeps & StatusDeps & NoteDeps

/** The table of handlers, for the outbox worker. */
export function jobHandlers(deps: JobDeps): Record<JobKind, (job: Job) => Promise<void>> {
  return {
    inbound: (job) => deliverToGhl(deps, job),
    outbound: (job) => deliverToWhatsApp(deps, job),
    ghl_status: (job) => pushStatusToGhl(deps, job),
    note: (job) => postNote(deps, job),
    contact: (job) => payContact(deps, job),
    read: (job) => markReadOnWhatsApp(deps, job),
  }
}

/**
 * Ends what a given-up job was for: its message is failed, the agent sees the reason, the dead letter waits for a person.
 * A status, a note, a name or a read mark that cannot be told is told to nobody: it would only fail the same way. Repeatable.
 *
 * @throws {StoreError} `STORE_UNAVAILABLE`: the job then stays and is given up again later.
 */
export async function giveUp(deps: JobDeps, job: Job, error: BridgeError): Promise<void> {
  switch (job.kind) {
    case 'inbound':
    case 'outbound':
      await deps.messages.giveUp(job, {
        code: error.code,
        message: error.message,
        ...(error.action !== undefined && { action: error.action }),
        mayHaveHappened: error.certainty === 'unknown',
      })
      deps.nudge()
      return
    case 'ghl_status':
    case 'note':
    case 'contact':
    case 'read':
      return
  }
}
