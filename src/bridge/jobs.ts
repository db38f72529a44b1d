/** Which handler does which kind of job, and what is told when one is given up. */
import type { BridgeError } from '../core/errors.ts'
import { parseMessageId } from '../core/ids.ts'
import { type DeliverToWhatsAppDeps, deliverToWhatsApp } from './ghl-to-whatsapp.ts'
import { pushStatusToGhl, type StatusDeps } from './receipts.ts'
import type { Job, JobKind } from './storage.ts'
import { type DeliverToGhlDeps, deliverToGhl } from './whatsapp-to-ghl.ts'

export type JobDeps = DeliverToGhlDeps & DeliverToWhatsAppDeps & StatusDeps

/** The table of handlers, for the outbox worker. */
export function jobHandlers(deps: JobDeps): Record<JobKind, (job: Job) => Promise<void>> {
  return {
    inbound: (job) => deliverToGhl(deps, job),
    outbound: (job) => deliverToWhatsApp(deps, job),
    ghl_status: (job) => pushStatusToGhl(deps, job),
  }
}

/**
 * Marks the message of a job that is given up, so that the agent sees `failed` with the reason. Repeatable.
 *
 * @throws {StoreError} `STORE_UNAVAILABLE`: the job then stays and is given up again later.
 */
export async function giveUp(deps: JobDeps, job: Job, error: BridgeError): Promise<void> {
  switch (job.kind) {
    case 'inbound':
    case 'outbound':
      await deps.messages.markFailed(parseMessageId(job.subject), {
        code: error.code,
        message: error.message,
        ...(error.action !== undefined && { action: error.action }),
      })
      deps.nudge()
      return
    case 'ghl_status':
      return
  }
}
